//! A file of outcomes, read one at a time: a JSON array, or one JSON object a line. A line that is broken is one wrong
//! record; an array that is broken ends there, for nobody can say where its next record begins.

mod array;
mod outcome;

use std::io::{BufRead, Read};

use anyhow::Context;
use kycc_proto::labels::v1::Outcome;

use outcome::outcome;

/// A longer line is no outcome; it is not held in memory to find that out.
const MAX_LINE_BYTES: usize = 64 * 1024;
const UNREADABLE: &str = "it cannot be read further";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A field that is not acceptable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Empty where it is the record.
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl Fault {
    fn of_record(message: impl Into<String>) -> Self {
        Self {
            field: "",
            message: message.into(),
        }
    }
}

/// A record, and the line of the file, from 1, where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) outcome: Result<Outcome, Fault>,
}

/// Gives every record to `take`, until that returns false.
///
/// # Errors
/// If the file cannot be read further, or is an array that breaks off, with line and column.
pub(super) fn read(
    mut reader: impl BufRead,
    take: &mut dyn FnMut(Record) -> bool,
) -> anyhow::Result<()> {
    if reader
        .fill_buf()
        .context(UNREADABLE)?
        .starts_with(BYTE_ORDER_MARK)
    {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    let (blank_lines, first) = first_byte(&mut reader).context(UNREADABLE)?;
    if first == Some(b'[') {
        array::read(reader, 1 + blank_lines, take).context(
            "a JSON array cannot be read past a place where it is broken; with one record a line, the others would be",
        )
    } else {
        read_lines(reader, 1 + blank_lines, take).context(UNREADABLE)
    }
}

/// Lines that end before the first byte that is not blank, and that byte, left in place.
fn first_byte(reader: &mut impl BufRead) -> std::io::Result<(u64, Option<u8>)> {
    let mut lines = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok((lines, None));
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace());
        let blank = blank.count();
        lines += line_feeds(&buffer[..blank]);
        let first = buffer.get(blank).copied();
        reader.consume(blank);
        if first.is_some() {
            return Ok((lines, first));
        }
    }
}

/// `line`: where the reader stands, from 1.
fn read_lines(
    mut reader: impl BufRead,
    mut line: u64,
    take: &mut dyn FnMut(Record) -> bool,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        if reader.by_ref().take(most).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        let cut = bytes.len() > MAX_LINE_BYTES && !bytes.ends_with(b"\n");
        if cut {
            reader.skip_until(b'\n')?;
        }
        let blank = bytes.iter().all(u8::is_ascii_whitespace);
        let outcome = if cut {
            let told = format!("the line is longer than {MAX_LINE_BYTES} bytes");
            Err(Fault::of_record(told))
        } else {
            of_line(&bytes)
        };
        if (cut || !blank) && !take(Record { line, outcome }) {
            return Ok(());
        }
        line += 1;
    }
}

/// What the parser found, without its own idea of the line, which begins to count where it was started.
fn why(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!("{what}, at column {}", error.column())
}

fn of_line(bytes: &[u8]) -> Result<Outcome, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let column = error.valid_up_to() + 1;
        Fault::of_record(format!("byte {column} of the line is not UTF-8"))
    })?;
    let record = serde_json::from_str(text)
        .map_err(|error| Fault::of_record(format!("the line is no JSON: {}", why(&error))))?;
    outcome(&record)
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"party_id": "A", "kind": "late_payment", "days_past_due": 95, "occurred_at": "2026-03-01"}"#;

    fn all(text: &[u8]) -> (Vec<Record>, anyhow::Result<()>) {
        let mut found = Vec::new();
        let end = read(text, &mut |record| {
            found.push(record);
            true
        });
        (found, end)
    }

    #[test]
    fn an_array_and_lines_give_the_same_outcomes_with_a_byte_order_mark_or_without() {
        for mark in ["", "\u{feff}"] {
            let (array, end) = all(format!("{mark} \n[{ONE},\n\n {ONE}]\n").as_bytes());
            end.unwrap();
            let (lines, end) = all(format!("{mark}\n{ONE}\r\n\n{ONE}").as_bytes());
            end.unwrap();
            assert_eq!(array, lines);
            let places: Vec<u64> = array.iter().map(|record| record.line).collect();
            assert_eq!(places, [2, 4]);
            assert!(array.iter().all(|record| record.outcome.is_ok()));
        }
        assert!(all(b"").0.is_empty());
        assert!(all(b"[]").0.is_empty());
    }

    #[test]
    fn a_broken_line_is_one_wrong_record_and_the_others_are_read() {
        let long = "x".repeat(MAX_LINE_BYTES + 1);
        let longest = format!("{}{ONE}", " ".repeat(MAX_LINE_BYTES - ONE.len()));
        let broken: [(&[u8], &str); 6] = [
            (
                b"{",
                "the line is no JSON: EOF while parsing an object, at column ",
            ),
            (
                br#"{"days_past_due": NaN}"#,
                "the line is no JSON: expected value, at column 19",
            ),
            (
                b"{\"party_id\": \"Zo\xeb\"}",
                "byte 17 of the line is not UTF-8",
            ),
            (
                b"{}{}",
                "the line is no JSON: trailing characters, at column 3",
            ),
            (b"[1]", "the record is no JSON object"),
            (long.as_bytes(), "the line is longer than 65536 bytes"),
        ];
        for (line, told) in broken {
            let text = [ONE.as_bytes(), line, longest.as_bytes()].join(&b'\n');
            let (found, end) = all(&text);
            end.unwrap();
            let places: Vec<u64> = found.iter().map(|record| record.line).collect();
            assert_eq!(places, [1, 2, 3], "{told}");
            assert!(
                found[0].outcome.is_ok() && found[2].outcome.is_ok(),
                "{told}"
            );
            let fault = found[1].outcome.clone().unwrap_err();
            assert_eq!(fault.field, "");
            assert!(fault.message.starts_with(told), "{}", fault.message);
        }
    }

    #[test]
    fn a_broken_array_ends_after_what_came_before_and_says_where() {
        for text in [format!("[{ONE},\nx]"), format!("[{ONE}\n")] {
            let (found, end) = all(text.as_bytes());
            assert_eq!(found.len(), 1, "{text}");
            let error = end.unwrap_err();
            assert!(error.to_string().starts_with("a JSON array"), "{error}");
            assert!(format!("{error:#}").contains("line 2"), "{error:#}");
        }
        assert!(all(format!("[{ONE}] x").as_bytes()).1.is_err());
    }

    #[test]
    fn reading_stops_when_nobody_takes_any_more() {
        for text in [format!("[{ONE},{ONE}]"), format!("{ONE}\n{ONE}")] {
            let mut seen = 0;
            let taken = read(text.as_bytes(), &mut |_| {
                seen += 1;
                false
            });
            taken.unwrap();
            assert_eq!(seen, 1);
        }
    }
}
