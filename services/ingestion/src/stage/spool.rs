//! Rows put aside in Arrow stream files, in segments that can be read at the same time.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use super::error::StageError;

/// Bytes after which the next segment is begun.
const SEGMENT_BYTES: usize = 32 << 20;
const BUFFER_BYTES: usize = 1 << 18;

pub(crate) struct Spool {
    folder: PathBuf,
    name: &'static str,
    schema: SchemaRef,
    open: Option<Segment>,
    segments: Vec<PathBuf>,
}

struct Segment {
    writer: StreamWriter<BufWriter<File>>,
    bytes: usize,
}

/// What was put aside.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub(crate) schema: SchemaRef,
    pub(crate) segments: Vec<PathBuf>,
}

impl Spool {
    pub(crate) fn new(folder: &Path, name: &'static str, schema: SchemaRef) -> Self {
        Self {
            folder: folder.to_owned(),
            name,
            schema,
            open: None,
            segments: Vec::new(),
        }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn append(&mut self, batch: &RecordBatch) -> Result<(), StageError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut segment = match self.open.take() {
            Some(segment) => segment,
            None => self.begin()?,
        };
        segment
            .writer
            .write(batch)
            .map_err(|source| self.failed(source))?;
        segment.bytes += batch.get_array_memory_size();
        if segment.bytes < SEGMENT_BYTES {
            self.open = Some(segment);
            return Ok(());
        }
        segment
            .writer
            .finish()
            .map_err(|source| self.failed(source))
    }

    fn begin(&mut self) -> Result<Segment, StageError> {
        let path = self
            .folder
            .join(format!("{}-{:04}.arrow", self.name, self.segments.len()));
        let file = File::create(&path).map_err(|source| StageError::File {
            operation: "make",
            path: path.display().to_string(),
            source,
        })?;
        self.segments.push(path);
        let buffer = BufWriter::with_capacity(BUFFER_BYTES, file);
        let writer =
            StreamWriter::try_new(buffer, &self.schema).map_err(|source| self.failed(source))?;
        Ok(Segment { writer, bytes: 0 })
    }

    fn failed(&self, source: ArrowError) -> StageError {
        let path = self.segments.last().unwrap_or(&self.folder);
        StageError::Write {
            path: path.display().to_string(),
            source,
        }
    }

    pub(crate) fn finish(mut self) -> Result<Staged, StageError> {
        if let Some(mut segment) = self.open.take() {
            segment
                .writer
                .finish()
                .map_err(|source| self.failed(source))?;
        }
        Ok(Staged {
            schema: self.schema,
            segments: self.segments,
        })
    }
}
