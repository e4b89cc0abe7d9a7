//! Cuts NDJSON into blocks of lines. Blank lines are passed over; a row is the number of its line.

use std::io::Read;

use super::block::{Block, Content, Origin, Span, Text};
use super::error::ReadError;
use super::window::Window;
use super::{BLOCK_BYTES, LONGEST_RECORD_BYTES};
use crate::core::table::Table;

pub(crate) struct Lines<R> {
    window: Window<R>,
    file: u32,
    name: String,
    table: Table,
    /// Number of the next line.
    line: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(window: Window<R>, file: u32, name: &str, table: Table) -> Self {
        Self {
            window,
            file,
            name: name.to_owned(),
            table,
            line: 1,
        }
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.line == 1 {
            self.io(Window::skip_byte_order_mark)?;
        }
        let first = self.line;
        let mut spans = Vec::new();
        while self.window.at < BLOCK_BYTES {
            let Some((start, end)) = self.line()? else {
                break;
            };
            let blank = self.window.bytes()[start..end].trim_ascii().is_empty();
            if !blank {
                spans.push(Span::new(start, end, self.line - first));
            }
            self.line += 1;
        }
        let bytes_read = self.window.bytes_read();
        let ended = self.window.at == 0;
        let bytes = self.window.cut();
        let text = Text {
            bytes,
            records: spans,
            first_row: first,
            indexed: false,
        };
        Ok((!ended).then_some(Block {
            file: self.file,
            origin: Origin::Table(self.table),
            content: Content::Json(text),
            bytes_read,
        }))
    }

    /// Range of the next line without its end; moves past it.
    fn line(&mut self) -> Result<Option<(usize, usize)>, ReadError> {
        let start = self.window.at;
        let mut searched = start;
        loop {
            let bytes = self.window.bytes();
            let found = memchr::memchr(b'\n', &bytes[searched..]).map(|at| searched + at);
            searched = bytes.len();
            if found.unwrap_or(searched) - start > LONGEST_RECORD_BYTES {
                return Err(ReadError::RecordTooLong {
                    file: self.name.clone(),
                    offset: self.window.offset(),
                    place: format!("line {}", self.line),
                });
            }
            if let Some(end) = found {
                self.window.at = end + 1;
                return Ok(Some((start, end)));
            }
            if !self.io(Window::fill)? {
                self.window.at = searched;
                return Ok((searched > start).then_some((start, searched)));
            }
        }
    }

    fn io<T>(
        &mut self,
        read: impl FnOnce(&mut Window<R>) -> std::io::Result<T>,
    ) -> Result<T, ReadError> {
        read(&mut self.window).map_err(|source| ReadError::Io {
            file: self.name.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, chunk_bytes: usize) -> Vec<(u64, String)> {
        let window = Window::with_chunks(text.as_bytes(), chunk_bytes);
        let mut lines = Lines::new(window, 0, "t.ndjson", Table::Parties);
        let mut all = Vec::new();
        while let Some(block) = lines.next_block().unwrap() {
            let Content::Json(text) = block.content else {
                panic!("lines are JSON");
            };
            for span in text.records {
                let bytes = &text.bytes[span.start as usize..span.end as usize];
                let line = String::from_utf8_lossy(bytes).trim().to_owned();
                all.push((text.first_row + u64::from(span.row), line));
            }
        }
        all
    }

    #[test]
    fn blank_lines_count_but_hold_no_record() {
        let text = "\u{feff}{1}\n\n  \r\n{22}\r\n{3}";
        for chunk_bytes in [1, 2, 100] {
            let expected = [(1, "{1}"), (4, "{22}"), (5, "{3}")].map(|(n, t)| (n, t.to_owned()));
            assert_eq!(rows(text, chunk_bytes), expected);
        }
        assert!(rows("", 8).is_empty());
    }

    #[test]
    fn line_numbers_go_on_over_blocks() {
        let line = format!("{}\n", "x".repeat(1000));
        let text = line.repeat(3 * BLOCK_BYTES / 1000);
        let rows = rows(&text, 70_000);
        assert!(
            rows.iter()
                .zip(1..)
                .all(|((row, _), expected)| *row == expected)
        );
        assert_eq!(rows.len(), 3 * BLOCK_BYTES / 1000);
    }

    #[test]
    fn a_line_too_long_is_named() {
        let text = format!("{{}}\n{}", "x".repeat(LONGEST_RECORD_BYTES + 1));
        let mut lines = Lines::new(Window::new(text.as_bytes()), 0, "t.ndjson", Table::Parties);
        let error = lines.next_block().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("t.ndjson, line 2: record longer"),
            "{error}"
        );
    }
}
