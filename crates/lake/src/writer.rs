//! Writes the rows of one version (or one shard of it): checks, hashes, encodes, and publishes at the end.
//!
//! Nothing is visible before `finish`: files lie in the attempt's own folder until a manifest names them.

use crate::conform::{OrdinalCheck, RowsProblem, conform};
use crate::digest::{BLOCK_ROWS, RowsHasher, hex};
use crate::encode::{FILE_ROWS, FileEncoder, ROW_GROUP_ROWS};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::manifest::{DataFile, Published, ShardManifest};
use crate::metadata::Metadata;
use crate::paths;
use crate::shard::Shard;
use crate::spec::{DatasetSpec, Kind};
use crate::version::VersionId;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{max_string, min_string};
use arrow::datatypes::UInt32Type;
use parquet::errors::ParquetError;
use uuid::Uuid;

/// Made by [`Lake::writer`]. Dropped without `finish`, it leaves no version behind.
#[derive(Debug)]
pub struct VersionWriter {
    lake: Lake,
    spec: &'static DatasetSpec,
    id: VersionId,
    shard: Shard,
    attempt: Uuid,
    check: OrdinalCheck,
    hasher: RowsHasher,
    /// Less than a row group, in order.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    open: Option<OpenFile>,
    files: Vec<DataFile>,
}

#[derive(Debug)]
struct OpenFile {
    encoder: FileEncoder,
    rows: usize,
    ordinals: Option<(u32, u32)>,
    parties: Option<(String, String)>,
}

impl VersionWriter {
    pub(crate) fn new(
        lake: Lake,
        spec: &'static DatasetSpec,
        id: VersionId,
        shard: Shard,
        attempt: Uuid,
    ) -> Self {
        Self {
            hasher: RowsHasher::new(lake.threads),
            lake,
            spec,
            id,
            shard,
            attempt,
            check: OrdinalCheck::default(),
            pending: Vec::new(),
            pending_rows: 0,
            open: None,
            files: Vec::new(),
        }
    }

    /// Appends rows, which must come in the dataset's order. Columns are found by name and strings may have any Arrow
    /// layout; any other difference from the schema is an error. CPU work happens on the calling thread and rayon's.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.check_target()?;
        let batch = conform(self.spec, batch, &self.path())?;
        self.check
            .push(self.spec, &batch)
            .map_err(|p| self.refuse(p))?;
        self.hasher.push(&batch);
        let mut at = 0;
        while at < batch.num_rows() {
            let rows = (batch.num_rows() - at).min(ROW_GROUP_ROWS - self.pending_rows);
            self.pending.push(batch.slice(at, rows));
            self.pending_rows += rows;
            at += rows;
            if self.pending_rows == ROW_GROUP_ROWS {
                self.close_row_group()?;
                if self
                    .open
                    .as_ref()
                    .is_some_and(|file| file.rows >= FILE_ROWS)
                {
                    self.close_file().await?;
                }
            }
        }
        Ok(())
    }

    /// Publishes. Where the version (or shard) stands already with equal rows, that one is returned; with other rows it
    /// is an error, since a step must be deterministic. `metadata` is merged over all shards, then given to `summarize`.
    pub async fn finish(
        mut self,
        metadata: Metadata,
        summarize: impl FnOnce(Metadata) -> Metadata,
    ) -> Result<Published, LakeError> {
        self.check_target()?;
        if let Some(first) = self.check.first()
            && self.spec.per_party
        {
            let aligned = (first as usize).is_multiple_of(BLOCK_ROWS);
            if !aligned || (self.shard.index == 0 && first != 0) {
                let problem = RowsProblem::ShardStart {
                    found: first,
                    block: BLOCK_ROWS,
                };
                return Err(self.refuse(problem));
            }
        }
        self.close_row_group()?;
        self.close_file().await?;
        let (rows, blocks) = self.hasher.finish();
        let shard = ShardManifest {
            index: self.shard.index,
            count: self.shard.count,
            schema_version: self.spec.schema_version,
            rows,
            blocks,
            files: self.files,
            metadata,
            attempt: self.attempt,
        };
        self.lake
            .publish_shard(self.spec, &self.id, shard, summarize)
            .await
    }

    fn check_target(&self) -> Result<(), LakeError> {
        let Shard { index, count } = self.shard;
        if self.spec.kind == Kind::Document {
            return Err(LakeError::WrongKind {
                operation: "write rows to",
                path: self.path(),
                is: "document",
            });
        }
        if index >= count {
            return Err(self.refuse(RowsProblem::ShardIndex { index, count }));
        }
        if count > 1 && !self.spec.per_party {
            return Err(self.refuse(RowsProblem::NotSharded));
        }
        Ok(())
    }

    fn close_row_group(&mut self) -> Result<(), LakeError> {
        if self.pending_rows == 0 {
            return Ok(());
        }
        let failed = encoding_failed(&self.id);
        let file = match &mut self.open {
            Some(file) => file,
            none => none.insert(OpenFile {
                encoder: FileEncoder::new(self.spec).map_err(&failed)?,
                rows: 0,
                ordinals: None,
                parties: None,
            }),
        };
        file.encoder
            .row_group(&self.pending, self.lake.threads)
            .map_err(&failed)?;
        file.rows += self.pending_rows;
        for batch in self.pending.drain(..) {
            file.observe(self.spec, &batch);
        }
        self.pending_rows = 0;
        Ok(())
    }

    async fn close_file(&mut self) -> Result<(), LakeError> {
        let Some(file) = self.open.take() else {
            return Ok(());
        };
        let bytes = file.encoder.finish().map_err(encoding_failed(&self.id))?;
        let hash = hex(blake3::hash(&bytes));
        let path = paths::part(self.attempt, self.shard, self.files.len());
        self.files.push(DataFile {
            path: path.clone(),
            rows: file.rows as u64,
            bytes: bytes.len() as u64,
            blake3: hash.clone(),
            min_ordinal: file.ordinals.map(|(min, _)| min),
            max_ordinal: file.ordinals.map(|(_, max)| max),
            min_party: file.parties.as_ref().map(|(min, _)| min.clone()),
            max_party: file.parties.map(|(_, max)| max),
        });
        self.lake
            .put_data(&paths::file(&self.id, &path), bytes.into(), &hash)
            .await
    }

    fn path(&self) -> String {
        paths::version(&self.id).to_string()
    }

    fn refuse(&self, problem: RowsProblem) -> LakeError {
        LakeError::Rows {
            path: self.path(),
            problem,
        }
    }
}

impl OpenFile {
    /// Ordinals rise, so that the first and last of a batch are its least and greatest.
    fn observe(&mut self, spec: &DatasetSpec, batch: &RecordBatch) {
        let column = |name| batch.column_by_name(name);
        if let Some(ordinals) = spec.ordinal.and_then(column) {
            let values = ordinals.as_primitive::<UInt32Type>().values();
            if let (Some(&first), Some(&last)) = (values.first(), values.last()) {
                self.ordinals = Some(self.ordinals.map_or((first, last), |(min, _)| (min, last)));
            }
        }
        if let Some(parties) = column("party_id").map(AsArray::as_string::<i32>)
            && let (Some(min), Some(max)) = (min_string(parties), max_string(parties))
        {
            let (low, high) = self
                .parties
                .get_or_insert_with(|| (min.to_owned(), max.to_owned()));
            if min < low.as_str() {
                *low = min.to_owned();
            }
            if max > high.as_str() {
                *high = max.to_owned();
            }
        }
    }
}

fn encoding_failed(id: &VersionId) -> impl Fn(ParquetError) -> LakeError + use<> {
    let path = paths::version(id).to_string();
    move |source| LakeError::Parquet {
        operation: "encode",
        path: path.clone(),
        source,
    }
}
