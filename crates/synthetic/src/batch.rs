//! The source being written: one document whose arrays follow each other, or a folder with a file per table.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::SecondsFormat;

use crate::{
    error::SyntheticError,
    output::{Output, Staged},
    rows::{Layout, Rows},
    spec::{Format, Spec},
};

/// All spellings that a folder's reader would take for a table of the batch.
const EXTENSIONS: [&str; 3] = ["ndjson", "csv", "parquet"];

#[derive(Debug)]
pub(crate) struct Batch<'a> {
    spec: &'a Spec,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Document(Output),
    Folder {
        path: PathBuf,
        extension: &'static str,
        layout: Layout,
        tables: Vec<Staged>,
    },
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

impl<'a> Batch<'a> {
    pub(crate) fn open(spec: &'a Spec, folder: &Path) -> Result<Self, SyntheticError> {
        let (extension, layout) = match spec.format {
            Format::Document => return Self::open_document(spec, folder),
            Format::Ndjson => ("ndjson", Layout::Lines),
            Format::Csv => ("csv", Layout::Csv),
        };
        let path = folder.join(&spec.batch_id);
        create_folder(&path)?;
        Ok(Self {
            spec,
            shape: Shape::Folder {
                path,
                extension,
                layout,
                tables: Vec::new(),
            },
        })
    }

    fn open_document(spec: &'a Spec, folder: &Path) -> Result<Self, SyntheticError> {
        create_folder(folder)?;
        let mut output = Output::create(folder.join(format!("{}_profiles.json", spec.batch_id)))?;
        output.buffer.extend_from_slice(header(spec).as_bytes());
        Ok(Self {
            spec,
            shape: Shape::Document(output),
        })
    }

    /// Writes one table and answers its number of rows.
    pub(crate) fn table(
        &mut self,
        name: &str,
        columns: &'static [&'static str],
        fill: impl FnOnce(&mut Rows<'_>) -> Result<(), SyntheticError>,
    ) -> Result<u64, SyntheticError> {
        match &mut self.shape {
            Shape::Document(output) => {
                output
                    .buffer
                    .extend_from_slice(format!(",\n\"{name}\":[\n").as_bytes());
                let written = fill_rows(output, Layout::Array, columns, fill)?;
                output.buffer.extend_from_slice(b"\n]");
                Ok(written)
            }
            Shape::Folder {
                path,
                extension,
                layout,
                tables,
            } => {
                let file = |extension: &str| {
                    path.join(format!("{}_{name}.{extension}", self.spec.batch_id))
                };
                // Two spellings of one table would be read as one table twice as long.
                let others = EXTENSIONS
                    .iter()
                    .filter(|other| *other != extension)
                    .map(|other| file(other));
                if let Some(path) = others.into_iter().find(|other| other.exists()) {
                    return Err(SyntheticError::OtherFormat { path });
                }
                let mut output = Output::create(file(extension))?;
                let written = fill_rows(&mut output, *layout, columns, fill)?;
                tables.push(output.finish()?);
                Ok(written)
            }
        }
    }

    /// Gives every file its name.
    pub(crate) fn publish(self) -> Result<Source, SyntheticError> {
        match self.shape {
            Shape::Document(mut output) => {
                output.buffer.extend_from_slice(b"}\n");
                let staged = output.finish()?;
                let bytes = staged.bytes;
                Ok(Source {
                    path: staged.publish()?,
                    bytes,
                })
            }
            Shape::Folder {
                path, mut tables, ..
            } => {
                let mut output =
                    Output::create(path.join(format!("{}_batch.json", self.spec.batch_id)))?;
                output
                    .buffer
                    .extend_from_slice(header(self.spec).as_bytes());
                output.buffer.extend_from_slice(b"}\n");
                tables.push(output.finish()?);
                let bytes = tables.iter().map(|table| table.bytes).sum();
                for table in tables {
                    table.publish()?;
                }
                Ok(Source { path, bytes })
            }
        }
    }
}

pub(crate) fn create_folder(path: &Path) -> Result<(), SyntheticError> {
    fs::create_dir_all(path).map_err(|source| SyntheticError::CreateFolder {
        path: path.to_owned(),
        source,
    })
}

/// The start of an object, left open. The batch id was checked to need no escapes.
fn header(spec: &Spec) -> String {
    let generated_at = spec
        .generated_at
        .to_rfc3339_opts(SecondsFormat::AutoSi, true);
    format!(
        "{{\"batch_id\":\"{}\",\"generated_at\":\"{generated_at}\"",
        spec.batch_id
    )
}

fn fill_rows(
    output: &mut Output,
    layout: Layout,
    columns: &'static [&'static str],
    fill: impl FnOnce(&mut Rows<'_>) -> Result<(), SyntheticError>,
) -> Result<u64, SyntheticError> {
    let mut rows = Rows::new(output, layout, columns);
    fill(&mut rows)?;
    Ok(rows.written())
}
