//! A table of an analyst's own: columns of f64 or text, read whole from a CSV or Parquet file.

mod column;
mod csv;
mod parquet;

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use crate::error::WorkbenchError;
use crate::printable::{listed, printable};

pub use column::{Column, Texts, Values};

/// What a file without rows lacks.
const CSV_NEEDS: &str = "a header line and rows under it";
const PARQUET_NEEDS: &str = "at least one row";

/// Columns of equal length with the names of the file. A missing number is NaN inside this crate and nowhere else.
#[derive(Debug, Clone)]
pub struct Table {
    source: String,
    path: Option<PathBuf>,
    rows: usize,
    columns: Vec<Column>,
    numbering: Numbering,
    /// The column of ids, where one was named, as it is written in the file.
    ids: Option<Ids>,
    /// What a person should know about how the file was read.
    notices: Vec<String>,
}

/// The text of a column, row by row. As numbers, ids would lose leading zeros and digits past the sixteenth.
#[derive(Debug, Clone)]
struct Ids {
    column: String,
    texts: Vec<Box<str>>,
}

/// How rows are named to a person.
#[derive(Debug, Clone)]
enum Numbering {
    /// Parquet: rows, from 1.
    Rows,
    /// CSV: the line on which a row begins, two more than its index.
    Lines,
    /// CSV with line breaks inside fields or empty lines.
    LinesAt(Vec<u64>),
}

/// Where a value stands: `line 7` of a CSV file, `row 6` of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Line(u64),
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

impl Table {
    /// Reads a file; its first bytes tell Parquet from CSV. `delimiter` of a CSV is detected where none is given.
    pub fn read(path: &Path, delimiter: Option<u8>) -> Result<Self, WorkbenchError> {
        Self::read_with_ids(path, delimiter, None)
    }

    /// Reads a file and keeps the column `id` as text too, exactly as it is written there.
    ///
    /// The file is read once, so that it may be a pipe; Parquet alone, whose end is read first, must be a file.
    pub fn read_with_ids(
        path: &Path,
        delimiter: Option<u8>,
        id: Option<&str>,
    ) -> Result<Self, WorkbenchError> {
        let source = printable(&path.display().to_string());
        let failed = |cause| WorkbenchError::Open {
            file: source.clone(),
            cause,
        };
        if path.is_dir() {
            return Err(WorkbenchError::Folder { file: source });
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        // A pipe may hand over less than it was asked for.
        let mut head = Read::by_ref(&mut file).take(4);
        head.read_to_end(&mut bytes).map_err(failed)?;
        let table = match bytes[..] {
            [b'P', b'A', b'R', b'1'] => {
                if !file.metadata().map_err(failed)?.is_file() {
                    return Err(WorkbenchError::PipedParquet { file: source });
                }
                file.rewind().map_err(failed)?;
                parquet::read(file, source, id)
            }
            [0x1f, 0x8b, ..] | [b'P', b'K', 3, 4] | [0x28, 0xb5, 0x2f, 0xfd] => {
                Err(WorkbenchError::Packed { file: source })
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(WorkbenchError::Utf16 { file: source }),
            [] => Err(WorkbenchError::NoRows {
                file: source,
                needs: CSV_NEEDS,
            }),
            _ => {
                file.read_to_end(&mut bytes).map_err(failed)?;
                csv::read(&bytes, source, delimiter, id)
            }
        }?;
        Ok(Self {
            path: Some(path.to_owned()),
            ..table
        })
    }

    /// Reads the text of a CSV file; `source` names it in errors.
    pub fn from_csv(
        bytes: &[u8],
        source: &str,
        delimiter: Option<u8>,
    ) -> Result<Self, WorkbenchError> {
        csv::read(bytes, source.to_owned(), delimiter, None)
    }

    fn new(
        source: String,
        rows: usize,
        columns: Vec<Column>,
        numbering: Numbering,
    ) -> Result<Self, WorkbenchError> {
        if rows == 0 {
            let needs = match numbering {
                Numbering::Rows => PARQUET_NEEDS,
                Numbering::Lines | Numbering::LinesAt(_) => CSV_NEEDS,
            };
            return Err(WorkbenchError::NoRows {
                file: source,
                needs,
            });
        }
        for (index, column) in columns.iter().enumerate() {
            if columns[..index].iter().any(|c| c.name == column.name) {
                return Err(WorkbenchError::DuplicateColumn {
                    file: source,
                    column: column.name.clone(),
                });
            }
        }
        let unnamed = columns.iter().filter(|c| c.name.is_empty()).count();
        let columns: Vec<Column> = columns.into_iter().filter(|c| !c.name.is_empty()).collect();
        let notices = match unnamed {
            0 => Vec::new(),
            _ => vec!["a column without a name is left out".into()],
        };
        Ok(Self {
            source,
            path: None,
            rows,
            columns,
            numbering,
            ids: None,
            notices,
        })
    }

    /// The file's name as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The file, where the table was read from one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Where row `row` (from 0) stands in the file.
    pub fn place(&self, row: usize) -> Place {
        match &self.numbering {
            Numbering::Rows => Place::Row(row as u64 + 1),
            Numbering::Lines => Place::Line(row as u64 + 2),
            Numbering::LinesAt(lines) => Place::Line(lines[row]),
        }
    }

    /// The column of that name; the error lists the names there are.
    pub fn column(&self, name: &str) -> Result<&Column, WorkbenchError> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.ok_or_else(|| WorkbenchError::NoColumn {
            file: self.source.clone(),
            column: name.to_owned(),
            columns: listed(self.columns.iter().map(|c| c.name.as_str())),
        })
    }

    /// What is written in a row of the column that was read as ids; `None` where that is another one.
    pub(crate) fn id_text(&self, column: &str, row: usize) -> Option<&str> {
        let ids = self.ids.as_ref().filter(|ids| ids.column == column)?;
        Some(&ids.texts[row])
    }

    /// A column of numbers; NaN is missing. A column of text is an error that shows the first value that is no number.
    pub fn numbers(&self, name: &str) -> Result<&[f64], WorkbenchError> {
        let column = self.column(name)?;
        match &column.values {
            Values::Numbers(numbers) => Ok(numbers),
            Values::Texts(texts) => Err(WorkbenchError::NotANumber {
                file: self.source.clone(),
                column: name.to_owned(),
                place: self.place(texts.first_text),
                value: texts.at(texts.first_text).unwrap_or_default().to_owned(),
            }),
            Values::Unread(kind) => Err(WorkbenchError::UnreadType {
                file: self.source.clone(),
                column: name.to_owned(),
                kind: printable(kind),
            }),
        }
    }

    /// A column of numbers without a missing one.
    pub fn complete_numbers(&self, name: &str) -> Result<&[f64], WorkbenchError> {
        let numbers = self.numbers(name)?;
        match missing(numbers) {
            None => Ok(numbers),
            Some((row, count)) => Err(WorkbenchError::Missing {
                file: self.source.clone(),
                column: name.to_owned(),
                count,
                place: self.place(row),
            }),
        }
    }
}

/// The first missing number and how many there are.
pub(crate) fn missing(numbers: &[f64]) -> Option<(usize, usize)> {
    let first = numbers.iter().position(|v| v.is_nan())?;
    Some((first, numbers.iter().filter(|v| v.is_nan()).count()))
}
