//! The digest of rows, in canonical form: the same on every machine, in every library version, and however the rows were
//! cut into batches, files or shards.
//!
//! Rows are cut in blocks of 1024 by row index. A block is hashed column by column: name, type, validity, values in
//! little-endian form. A null's slot counts as zero, -0.0 as 0.0, and every NaN as the same one.

mod columns;

use self::columns::{column_values, text};
use crate::conform::conform;
use crate::error::LakeError;
use crate::spec::DatasetSpec;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use blake3::{Hash, Hasher};
use kycc_domain::ids::Digest;
use rayon::prelude::*;

/// Rows in a block; a step's shards are cut at multiples of it.
pub const BLOCK_ROWS: usize = 1024;

/// The digest that a version of these rows would have.
pub fn rows_digest(spec: &DatasetSpec, batches: &[RecordBatch]) -> Result<Digest, LakeError> {
    let mut hasher = RowsHasher::new(1);
    for batch in batches {
        hasher.push(&conform(spec, batch, spec.name)?);
    }
    let (rows, blocks) = hasher.finish();
    Ok(version_digest(spec, rows, &blocks))
}

/// From the block digests of all rows to the digest of the version.
pub(crate) fn version_digest(spec: &DatasetSpec, rows: u64, blocks: &[Digest]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"kycc rows 1\0");
    text(&mut hasher, spec.name);
    hasher.update(&spec.schema_version.to_le_bytes());
    hasher.update(&rows.to_le_bytes());
    for block in blocks {
        hasher.update(block.as_str().as_bytes());
    }
    hex(hasher.finalize())
}

pub(crate) fn document_digest(spec: &DatasetSpec, canonical: &str) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"kycc document 1\0");
    text(&mut hasher, spec.name);
    hasher.update(&spec.schema_version.to_le_bytes());
    hasher.update(canonical.as_bytes());
    hex(hasher.finalize())
}

pub(crate) fn hex(hash: Hash) -> Digest {
    Digest::new(hash.to_hex().as_str()).expect("a BLAKE3 hash is lower-case hex")
}

/// Takes rows in any portions and hashes whole blocks of them, several at once.
#[derive(Debug)]
pub(crate) struct RowsHasher {
    threads: usize,
    rows: u64,
    /// Less than a block, in order.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    blocks: Vec<Digest>,
}

impl RowsHasher {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads,
            rows: 0,
            pending: Vec::new(),
            pending_rows: 0,
            blocks: Vec::new(),
        }
    }

    /// `batch` must conform to the dataset's schema.
    pub(crate) fn push(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let mut at = 0;
        if self.pending_rows > 0 {
            at = batch.num_rows().min(BLOCK_ROWS - self.pending_rows);
            self.keep(batch.slice(0, at));
            if self.pending_rows < BLOCK_ROWS {
                return;
            }
            self.close_block();
        }
        let whole = (batch.num_rows() - at) / BLOCK_ROWS;
        let digest = |index: usize| block_digest(&batch.slice(at + index * BLOCK_ROWS, BLOCK_ROWS));
        if self.threads > 1 && whole > 1 {
            let digests: Vec<_> = (0..whole).into_par_iter().map(digest).collect();
            self.blocks.extend(digests);
        } else {
            self.blocks.extend((0..whole).map(digest));
        }
        at += whole * BLOCK_ROWS;
        if at < batch.num_rows() {
            self.keep(batch.slice(at, batch.num_rows() - at));
        }
    }

    /// Row count and block digests.
    pub(crate) fn finish(mut self) -> (u64, Vec<Digest>) {
        if self.pending_rows > 0 {
            self.close_block();
        }
        (self.rows, self.blocks)
    }

    fn keep(&mut self, batch: RecordBatch) {
        self.pending_rows += batch.num_rows();
        self.pending.push(batch);
    }

    fn close_block(&mut self) {
        let schema = self.pending[0].schema();
        let block = concat_batches(&schema, &self.pending)
            .expect("a block's batches have one schema and few rows");
        self.blocks.push(block_digest(&block));
        self.pending.clear();
        self.pending_rows = 0;
    }
}

fn block_digest(block: &RecordBatch) -> Digest {
    let mut hasher = Hasher::new();
    for (field, column) in block.schema_ref().fields().iter().zip(block.columns()) {
        text(&mut hasher, field.name());
        column_values(&mut hasher, column);
    }
    hex(hasher.finalize())
}

#[cfg(test)]
mod tests;
