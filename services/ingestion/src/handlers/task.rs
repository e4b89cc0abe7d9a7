//! `ingest_synthetic_batch`: find the source, read it, relate its rows, publish.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use kycc_lake::datasets::BATCH;
use kycc_lake::{Metadata, SessionLimits};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use serde_json::json;
use tempfile::TempDir;

use super::observer::{SOURCE, check_unchanged};
use super::summary;
use crate::as_of;
use crate::config::IngestConfig;
use crate::core::table::PROFILES;
use crate::reader::document::Header;
use crate::reader::error::ReadError;
use crate::reader::pipeline;
use crate::relate::relate;
use crate::source::Source;
use crate::source::roots::Roots;
use crate::stage::error::StageError;
use crate::stage::stager::{Stage, Stager};

pub(crate) const ASSET: &str = "ingest_synthetic_batch";

#[derive(Debug)]
pub(crate) struct IngestBatch {
    pub(crate) roots: Roots,
    /// Where temporary files go; not the system's folder for them, which is often memory.
    pub(crate) scratch: PathBuf,
}

#[async_trait]
impl TaskHandler for IngestBatch {
    fn asset(&self) -> &'static str {
        ASSET
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: IngestConfig = cx.config()?;
        let source = Source::find(&self.roots, cx.batch(), &config)?;
        check_unchanged(&source, cx.source(SOURCE)?)?;
        let bytes = source.bytes();
        let files: Vec<_> = source
            .inputs
            .iter()
            .map(|input| input.name.as_str())
            .collect();
        cx.info(format!(
            "reading {} ({bytes} bytes) on {} threads",
            files.join(", "),
            cx.threads()
        ));

        let folder = self.scratch_folder()?;
        let (stage, header) = read(cx, &source, folder.path(), bytes)?;
        let as_of = as_of::resolve(cx.batch(), &config, &source, &header)?;
        cx.info(format!("the as-of time is {}", summary::rfc3339(as_of)));
        let limits = SessionLimits {
            threads: cx.threads(),
            memory_bytes: cx.memory_bytes(),
        };
        let session = cx.lake().session(limits)?;
        let related = relate(cx, &session, stage, as_of, &config).await?;
        summary::log(cx, &related);

        let metadata = summary::metadata(&related, as_of, bytes);
        let mut published = Vec::new();
        for writer in related.writers {
            published.push(writer.finish(Metadata::new(), |metadata| metadata).await?);
        }
        let document = json!({"batch_id": cx.batch(), "as_of": as_of});
        published.push(cx.put_document(&BATCH, &document, Metadata::new()).await?);
        Ok(Output {
            published,
            metadata,
        })
    }
}

impl IngestBatch {
    fn scratch_folder(&self) -> Result<TempDir, StageError> {
        let failed = |source| StageError::File {
            operation: "make",
            path: self.scratch.display().to_string(),
            source,
        };
        std::fs::create_dir_all(&self.scratch).map_err(failed)?;
        tempfile::Builder::new()
            .prefix("batch-")
            .tempdir_in(&self.scratch)
            .map_err(failed)
    }
}

/// Reads every file into temporary ones. Blocks this thread: handlers have threads of their own.
fn read(
    cx: &TaskContext,
    source: &Source,
    folder: &Path,
    bytes: u64,
) -> Result<(Stage, Header), TaskError> {
    let names = source
        .inputs
        .iter()
        .map(|input| input.name.clone())
        .collect();
    let sizes: Vec<u64> = source
        .inputs
        .iter()
        .map(|input| input.path.metadata().map_or(0, |facts| facts.len()))
        .collect();
    let mut stager = Stager::new(folder, names);
    let mut stopped = None;
    let header = pipeline::read(&source.inputs, cx.threads(), &mut |parsed| {
        let before: u64 = sizes[..parsed.file as usize].iter().sum();
        cx.progress(before + parsed.bytes_read, bytes);
        let taken = cx.check_cancelled().and_then(|()| Ok(stager.take(parsed)?));
        match taken {
            Ok(()) => true,
            Err(error) => {
                stopped = Some(error);
                false
            }
        }
    });
    if let Some(error) = stopped {
        return Err(error);
    }
    let header = header?;
    if source.is_document() {
        let missing = PROFILES
            .into_iter()
            .filter(|table| !header.tables.contains(table));
        for table in missing {
            cx.warning(format!(
                "the document has no array {table}; it is taken as empty"
            ));
        }
    }
    Ok((stager.finish()?, header))
}

impl From<ReadError> for TaskError {
    fn from(error: ReadError) -> Self {
        let record = error.record();
        let failed = match &error {
            ReadError::Io { .. } => TaskError::transient(error.reason(), error.to_string()),
            _ => TaskError::fatal(error.reason(), error.to_string()),
        };
        let failed = match record {
            Some(record) => failed.with_record(record),
            None => failed,
        };
        match error {
            ReadError::Io { source, .. } => failed.with_source(source),
            ReadError::Parquet { source, .. } => failed.with_source(source),
            ReadError::Decode { source, .. } => failed.with_source(source),
            _ => failed,
        }
    }
}
