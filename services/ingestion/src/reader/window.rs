//! A moving window over a file's bytes: grows chunk by chunk as a record needs it, gives up what has been cut.

use std::io::{self, Read};

use super::CHUNK_BYTES;

pub(crate) struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    /// Position within `bytes` of what is read next.
    pub(crate) at: usize,
    /// Offset in the file of `bytes[0]`.
    base: u64,
    ended: bool,
    chunk_bytes: usize,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self::with_chunks(reader, CHUNK_BYTES)
    }

    pub(crate) fn with_chunks(reader: R, chunk_bytes: usize) -> Self {
        Self {
            reader,
            bytes: Vec::new(),
            at: 0,
            base: 0,
            ended: false,
            chunk_bytes,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Offset in the file of what is read next.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Bytes taken from the file so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Appends the next chunk; false at the end of the file.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.bytes.reserve(self.chunk_bytes);
        let mut chunk = self.reader.by_ref().take(self.chunk_bytes as u64);
        let read = chunk.read_to_end(&mut self.bytes)?;
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// The next byte, left where it is.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        while self.at >= self.bytes.len() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(Some(self.bytes[self.at]))
    }

    /// Skips JSON's white space, then peeks.
    pub(crate) fn peek_token(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    pub(crate) fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        while self.bytes.len() < 3 && self.fill()? {}
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        Ok(())
    }

    /// Gives away everything before the present position.
    pub(crate) fn cut(&mut self) -> Vec<u8> {
        let rest = self.bytes[self.at..].to_vec();
        self.base += self.at as u64;
        let mut cut = std::mem::replace(&mut self.bytes, rest);
        cut.truncate(self.at);
        self.at = 0;
        cut
    }

    /// Forgets what lies before the present position, once that is worth the copy.
    pub(crate) fn forget(&mut self) {
        if self.at >= self.chunk_bytes {
            self.cut();
        }
    }
}
