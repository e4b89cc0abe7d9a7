//! CSV into columns: header line, quoted fields, delimiter told or detected. Columns of numbers are read in one pass; a
//! second one fetches the text of those that turned out not to be.

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::column::{Column, TextsBuilder, Values, is_missing, number};
use super::{Ids, Numbering, Place, Table};
use crate::error::WorkbenchError;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What may separate fields, in order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(super) fn read(
    bytes: &[u8],
    source: String,
    delimiter: Option<u8>,
    id: Option<&str>,
) -> Result<Table, WorkbenchError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let delimiter = delimiter.unwrap_or_else(|| detect(bytes));
    if let Some(line) = unclosed_quote(bytes, delimiter) {
        return Err(WorkbenchError::UnclosedQuote {
            file: source,
            place: Place::Line(line),
        });
    }
    let names = names(bytes, &source, delimiter)?;
    let first = first_pass(bytes, &source, delimiter, &names)?;
    let texts = second_pass(bytes, &source, delimiter, &names, &first.columns)?;
    let ids = id
        .and_then(|id| names.iter().position(|name| name == id))
        .map(|at| ids(bytes, &source, delimiter, &names[at], at))
        .transpose()?;
    let columns = names
        .into_iter()
        .zip(first.columns.into_iter().zip(texts))
        .map(|(name, (cells, text))| Column {
            name,
            values: match cells {
                Cells::Numbers(numbers) => Values::Numbers(numbers),
                Cells::TextFrom(row) => Values::Texts(text.unwrap_or_default().finish(row)),
            },
        })
        .collect();
    let regular = first
        .lines
        .iter()
        .enumerate()
        .all(|(row, line)| *line == row as u64 + 2);
    let rows = first.lines.len();
    let numbering = if regular {
        Numbering::Lines
    } else {
        Numbering::LinesAt(first.lines)
    };
    let table = Table::new(source, rows, columns, numbering)?;
    Ok(Table { ids, ..table })
}

/// The delimiter that the header line holds most of, outside quotes; a comma where it holds none.
fn detect(bytes: &[u8]) -> u8 {
    let mut counts = [0usize; DELIMITERS.len()];
    let mut quoted = false;
    for byte in bytes {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => {
                if let Some(found) = DELIMITERS.iter().position(|d| d == byte) {
                    counts[found] += 1;
                }
            }
            _ => {}
        }
    }
    let mut best = 0;
    for (index, count) in counts.iter().enumerate() {
        if *count > counts[best] {
            best = index;
        }
    }
    DELIMITERS[best]
}

/// Where in a field a byte stands.
#[derive(Debug, Clone, Copy)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a quote that closes, or is the first of a pair.
    Closed,
}

/// The line of a quote that is still open where the file ends. The reader would take all that follows for one field.
fn unclosed_quote(bytes: &[u8], delimiter: u8) -> Option<u64> {
    if !bytes.contains(&b'"') {
        return None;
    }
    let (mut line, mut opened_on) = (1, 1);
    let mut at = At::Start;
    for (index, &byte) in bytes.iter().enumerate() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (At::Start, b'"') => {
                opened_on = line;
                At::Quoted
            }
            // A pair of quotes within quotes stands for one.
            (At::Closed, b'"') => At::Quoted,
            (_, b'\n' | b'\r') => At::Start,
            (_, byte) if byte == delimiter => At::Start,
            _ => At::Plain,
        };
        line += u64::from(ends_line(bytes, index));
    }
    matches!(at, At::Quoted).then_some(opened_on)
}

/// Whether a line ends with the byte at `index`: a line feed, or a carriage return that none follows.
fn ends_line(bytes: &[u8], index: usize) -> bool {
    match bytes[index] {
        b'\n' => true,
        b'\r' => bytes.get(index + 1) != Some(&b'\n'),
        _ => false,
    }
}

fn reader(bytes: &[u8], delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).from_reader(bytes)
}

fn names(bytes: &[u8], source: &str, delimiter: u8) -> Result<Vec<String>, WorkbenchError> {
    let mut reader = reader(bytes, delimiter);
    let header = reader
        .byte_headers()
        .map_err(|error| refused(bytes, source, error))?;
    header
        .iter()
        .map(|name| {
            let text = std::str::from_utf8(name).map_err(|_| WorkbenchError::NotUtf8 {
                file: source.to_owned(),
                column: String::from_utf8_lossy(name).into_owned(),
                place: Place::Line(1),
            })?;
            Ok(text.trim().to_owned())
        })
        .collect()
}

/// A column as far as it has been read.
enum Cells {
    Numbers(Vec<f64>),
    /// The first row that holds no number.
    TextFrom(usize),
}

struct FirstPass {
    columns: Vec<Cells>,
    /// The line on which each row begins.
    lines: Vec<u64>,
}

fn first_pass(
    bytes: &[u8],
    source: &str,
    delimiter: u8,
    names: &[String],
) -> Result<FirstPass, WorkbenchError> {
    let mut columns: Vec<Cells> = names.iter().map(|_| Cells::Numbers(Vec::new())).collect();
    let mut lines = Vec::new();
    each_record(bytes, source, delimiter, |line, record| {
        for ((cells, field), name) in columns.iter_mut().zip(record).zip(names) {
            let Cells::Numbers(numbers) = cells else {
                continue;
            };
            let cell = text(field, source, name, line)?;
            if is_missing(cell) {
                numbers.push(f64::NAN);
            } else if let Some(value) = number(cell) {
                numbers.push(value);
            } else {
                *cells = Cells::TextFrom(lines.len());
            }
        }
        lines.push(line);
        Ok(())
    })?;
    Ok(FirstPass { columns, lines })
}

fn second_pass(
    bytes: &[u8],
    source: &str,
    delimiter: u8,
    names: &[String],
    columns: &[Cells],
) -> Result<Vec<Option<TextsBuilder>>, WorkbenchError> {
    let mut texts: Vec<Option<TextsBuilder>> = columns
        .iter()
        .map(|cells| matches!(cells, Cells::TextFrom(_)).then(TextsBuilder::default))
        .collect();
    if texts.iter().all(Option::is_none) {
        return Ok(texts);
    }
    each_record(bytes, source, delimiter, |line, record| {
        for ((builder, field), name) in texts.iter_mut().zip(record).zip(names) {
            if let Some(builder) = builder {
                let cell = text(field, source, name, line)?;
                builder.push((!is_missing(cell)).then_some(cell));
            }
        }
        Ok(())
    })?;
    Ok(texts)
}

/// The cells of one column, untouched.
fn ids(
    bytes: &[u8],
    source: &str,
    delimiter: u8,
    name: &str,
    at: usize,
) -> Result<Ids, WorkbenchError> {
    let mut texts = Vec::new();
    each_record(bytes, source, delimiter, |line, record| {
        texts.push(utf8(&record[at], source, name, line)?.into());
        Ok(())
    })?;
    Ok(Ids {
        column: name.to_owned(),
        texts,
    })
}

fn each_record(
    bytes: &[u8],
    source: &str,
    delimiter: u8,
    mut take: impl FnMut(u64, &ByteRecord) -> Result<(), WorkbenchError>,
) -> Result<(), WorkbenchError> {
    let mut reader = reader(bytes, delimiter);
    let mut record = ByteRecord::new();
    let mut lines = LineCounter::new(bytes);
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| refused(bytes, source, error))?
    {
        let line = lines.line_of(record.position());
        take(line, &record)?;
    }
    Ok(())
}

/// Counts lines itself: the reader takes the line feed of a Windows line end for a part of the next record.
struct LineCounter<'a> {
    bytes: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            counted: 0,
            line: 1,
        }
    }

    /// The line on which the record at `position` begins; positions must rise.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.map_or(0, |position| position.byte() as usize);
        let ends = self.bytes[begin..]
            .iter()
            .take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let begin = begin + ends.count();
        let passed = self.counted..begin;
        self.line += passed.filter(|at| ends_line(self.bytes, *at)).count() as u64;
        self.counted = begin;
        self.line
    }
}

fn text<'a>(
    field: &'a [u8],
    source: &str,
    name: &str,
    line: u64,
) -> Result<&'a str, WorkbenchError> {
    utf8(field, source, name, line).map(str::trim)
}

fn utf8<'a>(
    field: &'a [u8],
    source: &str,
    name: &str,
    line: u64,
) -> Result<&'a str, WorkbenchError> {
    std::str::from_utf8(field).map_err(|_| WorkbenchError::NotUtf8 {
        file: source.to_owned(),
        column: name.to_owned(),
        place: Place::Line(line),
    })
}

fn refused(bytes: &[u8], source: &str, error: csv::Error) -> WorkbenchError {
    let file = source.to_owned();
    match error.kind() {
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => WorkbenchError::Ragged {
            file,
            place: Place::Line(LineCounter::new(bytes).line_of(pos.as_ref())),
            expected: *expected_len,
            got: *len,
        },
        _ => WorkbenchError::Csv { file, cause: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::from_csv(text.as_bytes(), "data.csv", None).unwrap()
    }

    fn error(text: &[u8]) -> String {
        Table::from_csv(text, "data.csv", None)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn numbers_missing_values_and_booleans_become_one_column_of_numbers() {
        let table = table("a,b\n1,true\n,FALSE\nNA,NaN\n-2.5e3, 0 \n");
        let a = table.numbers("a").unwrap();
        assert_eq!((a[0], a[3]), (1.0, -2500.0));
        assert!(a[1].is_nan() && a[2].is_nan());
        let b = table.numbers("b").unwrap();
        assert_eq!((b[0], b[1], b[3]), (1.0, 0.0, 0.0));
        assert!(b[2].is_nan());
    }

    #[test]
    fn delimiter_is_that_of_the_header_outside_quotes() {
        for (text, name) in [
            ("\"a,b,c,d\";y\n1;2\n", "a,b,c,d"),
            ("x\ty\n1\t2\n", "x"),
            ("x|y\n1|2\n", "x"),
            ("x,y\n1,2\n", "x"),
            ("x\n1\n", "x"),
        ] {
            assert_eq!(table(text).numbers(name).unwrap(), [1.0], "{text:?}");
        }
    }

    #[test]
    fn byte_order_mark_quotes_and_windows_line_ends_are_no_part_of_values() {
        let table = table("\u{feff}x,\"the name\"\r\n\"1\",\"a \"\"b\"\", c\"\r\n\r\n2,d\r\n");
        assert_eq!(table.numbers("x").unwrap(), [1.0, 2.0]);
        let Values::Texts(texts) = &table.column("the name").unwrap().values else {
            panic!("names are text");
        };
        assert_eq!((texts.at(0), texts.at(1)), (Some("a \"b\", c"), Some("d")));
        assert_eq!(table.place(1), Place::Line(4), "the empty line counts");
    }

    #[test]
    fn a_value_that_is_no_number_is_named_with_its_line() {
        let table = table("age,y\n31,0\n\"two\nlines\",1\nforty,1\n");
        let error = table.numbers("age").unwrap_err().to_string();
        assert!(
            error.contains("data.csv, line 3, column \"age\"") && error.contains("two\\nlines"),
            "{error}"
        );
        assert_eq!(table.place(2), Place::Line(5));
    }

    #[test]
    fn lines_are_counted_alike_whatever_ends_them() {
        let text = "\n\na,b\n1,2\n\n\"x\ny\",3\n4\n";
        for end in ["\n", "\r\n", "\r"] {
            let text = text.replace('\n', end);
            let ragged = error(text.as_bytes());
            assert!(ragged.contains("line 8 has 1 fields"), "{ragged}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_by_the_line_that_opens_it() {
        for text in [
            "a,b\n1,2\n3,\"x\n4,5\n",
            "a,b\n1,\"\"\"\"\n3,\"",
            "a,b\n\n\"x",
        ] {
            for end in ["\n", "\r\n", "\r"] {
                let error = error(text.replace('\n', end).as_bytes());
                assert!(error.contains("line 3 is not closed"), "{error}");
            }
        }
        let read = table("a;b\n\"x;\"\"\n\";5\"\nm\"n;6\n\"\";7");
        assert_eq!(read.rows(), 3, "these are closed, or no quotes of a field");
    }

    #[test]
    fn infinity_is_no_number() {
        let table = table("x\n1\ninf\n");
        let error = table.numbers("x").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("inf"), "{error}");
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_place() {
        let ragged = error(b"a,b\n1,2\n1,2,3\n");
        assert!(
            ragged.contains("line 3") && ragged.contains("3 fields") && ragged.contains('2'),
            "{ragged}"
        );
        assert!(error(b"a,b\n").contains("no rows"));
        assert!(error(b"a,b,a\n1,2,3\n").contains("\"a\""));
        let latin = error(b"a,b\n1,M\xfcller\n");
        assert!(
            latin.contains("line 2") && latin.contains("UTF-8"),
            "{latin}"
        );
        assert!(error(b"M\xfcller,b\n1,2\n").contains("UTF-8"));
    }

    #[test]
    fn a_column_without_a_name_is_left_out_and_told() {
        let table = table(",x\n0,5\n1,6\n");
        assert_eq!(table.columns().len(), 1);
        assert_eq!(table.notices().len(), 1);
    }
}
