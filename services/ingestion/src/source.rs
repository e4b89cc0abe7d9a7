//! Which files a batch is: found by convention or by config, and only within the folders that inputs may come from.

pub(crate) mod digest;
pub(crate) mod error;
pub(crate) mod roots;

use std::path::{Path, PathBuf};

use kycc_domain::ids::BatchId;

use self::error::SourceError;
use self::roots::Roots;
use crate::config::{IngestConfig, given};
use crate::core::table::{PROFILES, Table};
use crate::reader::pipeline::{Format, Input};

/// Everything that one ingestion reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The batch's own files, tables in order, files of a table by name; then the labels.
    pub(crate) inputs: Vec<Input>,
    /// `<BATCH>_batch.json` of a folder.
    pub(crate) header: Option<PathBuf>,
    /// Where it lies, when it lies in one place.
    folder: Option<PathBuf>,
}

impl Source {
    pub(crate) fn find(
        roots: &Roots,
        batch: &BatchId,
        config: &IngestConfig,
    ) -> Result<Self, SourceError> {
        let named = given(&config.source_uri);
        let mut source = match &config.source_files {
            Some(files) if !files.is_empty() => {
                if named.is_some() {
                    return Err(SourceError::TwoSources);
                }
                Self::of_files(roots, files)?
            }
            _ => Self::of_path(roots, batch, &Self::locate(roots, batch, named)?)?,
        };
        let labels = match given(&config.labels_uri) {
            Some(uri) => Some(roots.existing(uri)?),
            None => source.labels_beside(batch),
        };
        if let Some(path) = labels {
            source.inputs.push(input(roots, &path, Table::Outcomes)?);
        }
        Ok(source)
    }

    /// A batch and its labels are often made together.
    fn labels_beside(&self, batch: &BatchId) -> Option<PathBuf> {
        let labels = self.folder.as_ref()?.join(format!("{batch}_labels.json"));
        labels.exists().then_some(labels)
    }

    fn locate(roots: &Roots, batch: &BatchId, named: Option<&str>) -> Result<PathBuf, SourceError> {
        if let Some(uri) = named {
            return roots.existing(uri);
        }
        let document = roots.landing().join(format!("{batch}_profiles.json"));
        let folder = roots.landing().join(batch.as_str());
        match [&document, &folder].into_iter().find(|path| path.exists()) {
            Some(path) => roots.inside(path),
            None if has_tables(roots.landing(), batch) => roots.inside(roots.landing()),
            None => Err(SourceError::NothingLanded {
                batch: batch.to_string(),
                document: document.display().to_string(),
                folder: folder.display().to_string(),
            }),
        }
    }

    fn of_path(roots: &Roots, batch: &BatchId, path: &Path) -> Result<Self, SourceError> {
        if path.is_dir() {
            return Self::of_folder(roots, batch, path);
        }
        if path.extension().is_none_or(|extension| extension != "json") {
            let path = path.display().to_string();
            return Err(SourceError::NotADocument { path });
        }
        Self::of_document(roots, path)
    }

    fn of_document(roots: &Roots, path: &Path) -> Result<Self, SourceError> {
        let path = roots.file(path)?;
        let folder = path.parent().map(Path::to_owned);
        let name = file_name(&path);
        let input = Input {
            path,
            name,
            format: Format::Document,
            table: None,
        };
        Ok(Self {
            inputs: vec![input],
            header: None,
            folder,
        })
    }

    fn of_folder(roots: &Roots, batch: &BatchId, folder: &Path) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable {
            path: folder.display().to_string(),
            source,
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.sort();
        let mut inputs = Vec::new();
        for table in PROFILES {
            let start = format!("{batch}_{table}");
            for path in &paths {
                let known = matches!(extension(path), "ndjson" | "csv" | "parquet");
                if known && file_name(path).starts_with(&start) {
                    inputs.push(input(roots, path, table)?);
                }
            }
        }
        let document = folder.join(format!("{batch}_profiles.json"));
        if inputs.is_empty() && document.exists() {
            return Self::of_document(roots, &document);
        }
        if !inputs
            .iter()
            .any(|input| input.table == Some(Table::Parties))
        {
            let (folder, batch) = (folder.display().to_string(), batch.to_string());
            return Err(SourceError::NoParties { folder, batch });
        }
        let header = folder.join(format!("{batch}_batch.json"));
        let header = if header.exists() {
            Some(roots.file(&header)?)
        } else {
            None
        };
        Ok(Self {
            inputs,
            header,
            folder: Some(folder.to_owned()),
        })
    }

    fn of_files(
        roots: &Roots,
        files: &std::collections::BTreeMap<String, String>,
    ) -> Result<Self, SourceError> {
        for name in files.keys() {
            if Table::named(name).is_none() {
                return Err(SourceError::UnknownTable { name: name.clone() });
            }
        }
        let mut inputs = Vec::new();
        for table in PROFILES {
            if let Some(uri) = files.get(table.name()) {
                inputs.push(input(roots, &roots.existing(uri)?, table)?);
            }
        }
        Ok(Self {
            inputs,
            header: None,
            folder: None,
        })
    }

    /// Whether the source says by itself when it was made.
    pub(crate) fn is_document(&self) -> bool {
        self.inputs
            .first()
            .is_some_and(|input| input.format == Format::Document)
    }

    /// Every file that is read, by the role that tells two of one name apart.
    pub(crate) fn files(&self) -> Vec<(String, &Path)> {
        let role = |input: &Input| match input.table {
            Some(table) => format!("{table}/{}", input.name),
            None => format!("document/{}", input.name),
        };
        let inputs = self
            .inputs
            .iter()
            .map(|input| (role(input), input.path.as_path()));
        let header = self
            .header
            .iter()
            .map(|path| (format!("batch/{}", file_name(path)), path.as_path()));
        inputs.chain(header).collect()
    }
}

fn has_tables(folder: &Path, batch: &BatchId) -> bool {
    let name = |extension| format!("{batch}_{}.{extension}", Table::Parties);
    ["ndjson", "csv", "parquet"]
        .into_iter()
        .any(|extension| folder.join(name(extension)).exists())
}

/// A file of one table; its extension says how it is read.
fn input(roots: &Roots, path: &Path, table: Table) -> Result<Input, SourceError> {
    let format = match extension(path) {
        "ndjson" | "jsonl" => Format::Ndjson,
        "csv" => Format::Csv,
        "parquet" => Format::Parquet,
        "json" => Format::Array,
        _ => {
            let path = path.display().to_string();
            return Err(SourceError::UnknownFormat {
                path,
                table: table.name(),
            });
        }
    };
    let name = file_name(path);
    Ok(Input {
        path: roots.file(path)?,
        name,
        format,
        table: Some(table),
    })
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or("")
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
