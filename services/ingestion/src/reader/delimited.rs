//! Cuts CSV into blocks of records. The first record names the columns; a record may span lines within quotes, and its
//! row is the number of the line that it starts on.

use std::io::Read;
use std::sync::Arc;

use super::block::{Block, Content, Layout, Origin, Span, Text};
use super::error::ReadError;
use super::window::Window;
use super::{BLOCK_BYTES, LONGEST_RECORD_BYTES};
use crate::core::csv;
use crate::core::table::Table;

pub(crate) struct Delimited<R> {
    window: Window<R>,
    file: u32,
    name: String,
    table: Table,
    layout: Option<Layout>,
    line: u64,
}

impl<R: Read> Delimited<R> {
    pub(crate) fn new(window: Window<R>, file: u32, name: &str, table: Table) -> Self {
        Self {
            window,
            file,
            name: name.to_owned(),
            table,
            layout: None,
            line: 1,
        }
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        let layout = match &self.layout {
            Some(layout) => Arc::clone(layout),
            None => self.header()?,
        };
        let first = self.line;
        let mut spans = Vec::new();
        while self.window.at < BLOCK_BYTES {
            let line = self.line;
            let Some((start, end)) = self.record()? else {
                break;
            };
            let blank = self.window.bytes()[start..end].trim_ascii().is_empty();
            if !blank {
                spans.push(Span::new(start, end, line - first));
            }
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
            content: Content::Csv { text, layout },
            bytes_read,
        }))
    }

    fn header(&mut self) -> Result<Layout, ReadError> {
        self.io(Window::skip_byte_order_mark)?;
        let start = self.window.at;
        let end = self.record()?.map_or(start, |(_, end)| end);
        let header = String::from_utf8_lossy(&self.window.bytes()[start..end]).into_owned();
        let mut names = Vec::new();
        csv::fields(&header, |_, name| names.push(name.trim().to_owned())).map_err(|fault| {
            ReadError::Syntax {
                file: self.name.clone(),
                offset: 0,
                place: "line 1".to_owned(),
                what: fault.reason,
            }
        })?;
        let layout = layout(&self.name, self.table, &names)?;
        self.layout = Some(Arc::clone(&layout));
        self.window.cut();
        Ok(layout)
    }

    /// Range of the next record with its line end; moves past it and counts its lines.
    fn record(&mut self) -> Result<Option<(usize, usize)>, ReadError> {
        let start = self.window.at;
        let mut at = start;
        let mut place = Spot::FieldStart;
        let mut lines = 0;
        loop {
            let ended;
            (at, ended) = advance(self.window.bytes(), at, &mut place, &mut lines);
            if at - start > LONGEST_RECORD_BYTES {
                return Err(ReadError::RecordTooLong {
                    file: self.name.clone(),
                    offset: self.window.offset(),
                    place: format!("line {}", self.line),
                });
            }
            if !ended && self.io(Window::fill)? {
                continue;
            }
            self.window.at = at;
            self.line += lines;
            return Ok((at > start).then_some((start, at)));
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

#[derive(Clone, Copy, PartialEq)]
enum Spot {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within a quoted field: its end, or the first half of a doubled quote.
    QuoteSeen,
}

/// Goes on to the end of the record; whether it was reached.
fn advance(bytes: &[u8], mut at: usize, spot: &mut Spot, lines: &mut u64) -> (usize, bool) {
    while at < bytes.len() {
        if *spot == Spot::Quoted {
            match memchr::memchr2(b'"', b'\n', &bytes[at..]) {
                None => return (bytes.len(), false),
                Some(mark) => at += mark,
            }
        }
        *spot = match (*spot, bytes[at]) {
            (Spot::Quoted, b'\n') => {
                *lines += 1;
                Spot::Quoted
            }
            (Spot::Quoted, _) => Spot::QuoteSeen,
            (Spot::FieldStart | Spot::QuoteSeen, b'"') => Spot::Quoted,
            (_, b',') => Spot::FieldStart,
            (_, b'\n') => {
                *lines += 1;
                return (at + 1, true);
            }
            _ => Spot::Plain,
        };
        at += 1;
    }
    (at, false)
}

/// What each column is to the table; fails when one is missing, named twice, or an outcome.
pub(crate) fn layout(file: &str, table: Table, names: &[String]) -> Result<Layout, ReadError> {
    for (index, name) in names.iter().enumerate() {
        if table.leaks(name) {
            return Err(ReadError::OutcomeInProfiles {
                file: file.to_owned(),
                place: "its columns".to_owned(),
                field: name.clone(),
            });
        }
        if names[..index].contains(name) {
            return Err(ReadError::DuplicateColumn {
                file: file.to_owned(),
                column: name.clone(),
            });
        }
    }
    for column in table.required() {
        if !names.iter().any(|name| name == column) {
            return Err(ReadError::MissingColumn {
                file: file.to_owned(),
                table: table.name(),
                column,
                found: names.join(", "),
            });
        }
    }
    Ok(names
        .iter()
        .map(|name| table.field(name).ok_or_else(|| name.clone()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "account_id,party_id,branch";

    fn rows(text: &str, chunk_bytes: usize) -> Result<Vec<(u64, String)>, ReadError> {
        let window = Window::with_chunks(text.as_bytes(), chunk_bytes);
        let mut reader = Delimited::new(window, 0, "t.csv", Table::Accounts);
        let mut all = Vec::new();
        while let Some(block) = reader.next_block()? {
            let Content::Csv { text, .. } = block.content else {
                panic!("not CSV");
            };
            for span in text.records {
                let bytes = &text.bytes[span.start as usize..span.end as usize];
                let row = text.first_row + u64::from(span.row);
                all.push((row, String::from_utf8_lossy(bytes).into_owned()));
            }
        }
        Ok(all)
    }

    #[test]
    fn a_record_is_named_by_the_line_it_starts_on() {
        let text = format!("\u{feff}{HEADER}\r\n1,\"a\n\"\"b\"\",\n\",x\r\n\n2,b\",y\n3,c,z");
        for chunk_bytes in [1, 2, 5, 1000] {
            let rows = rows(&text, chunk_bytes).unwrap();
            let expected = [
                (2, "1,\"a\n\"\"b\"\",\n\",x\r\n"),
                (6, "2,b\",y\n"),
                (7, "3,c,z"),
            ];
            assert_eq!(rows, expected.map(|(n, t)| (n, t.to_owned())));
        }
    }

    #[test]
    fn the_columns_are_checked() {
        for (header, expected) in [
            (
                "account_id,branch",
                "t.csv has no column party_id, which accounts needs; its columns are account_id, branch",
            ),
            (
                "account_id,party_id,party_id",
                "t.csv names the column \"party_id\" twice",
            ),
            (
                "account_id,party_id,will_default",
                "t.csv, its columns: the field will_default is an outcome",
            ),
            ("", "t.csv has no column account_id"),
            (
                "\"a",
                "t.csv, byte 0, line 1: the quoted field 1 does not end",
            ),
        ] {
            let error = rows(header, 100).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
