//! The digest of rows, in canonical form: the same on every machine, in every library version, and however the rows were
//! cut into batches, files or shards.
//!
//! Rows are cut in blocks of 1024 by row index. A block is hashed column by column: name, type, validity, values in
//! little-endian form. A null's slot counts as zero, -0.0 as 0.0, and every NaN as the same one.

use crate::conform::conform;
use crate::error::LakeError;
use crate::spec::DatasetSpec;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, PrimitiveArray,
    RecordBatch, StringArray,
};
use arrow::compute::{concat_batches, filter};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    UInt32Type, UInt64Type,
};
use blake3::{Hash, Hasher};
use kycc_domain::ids::Digest;
use rayon::prelude::*;

/// Rows in a block; a step's shards are cut at multiples of it.
pub const BLOCK_ROWS: usize = 1024;

// Values are hashed straight from Arrow's buffers, which are in the machine's byte order.
#[cfg(target_endian = "big")]
compile_error!("digests are of little-endian values; hash swapped copies to support this machine");

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

fn text(hasher: &mut Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
}

/// Type, length, validity, values. Arrays may be slices; what lies outside of them never counts.
fn column_values(hasher: &mut Hasher, array: &ArrayRef) {
    text(hasher, tag(array.data_type()));
    hasher.update(&(array.len() as u64).to_le_bytes());
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => hasher.update(&[0]),
        Some(nulls) => hasher.update(&[1]).update(&bits(nulls.iter())),
    };
    match array.data_type() {
        DataType::Int32 => fixed(hasher, array.as_primitive::<Int32Type>()),
        DataType::Int64 => fixed(hasher, array.as_primitive::<Int64Type>()),
        DataType::UInt32 => fixed(hasher, array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => fixed(hasher, array.as_primitive::<UInt64Type>()),
        DataType::Timestamp(..) => fixed(hasher, array.as_primitive::<TimestampMicrosecondType>()),
        DataType::Decimal128(..) => fixed(hasher, array.as_primitive::<Decimal128Type>()),
        DataType::Float64 => floats(hasher, array.as_primitive()),
        DataType::Boolean => booleans(hasher, array.as_boolean()),
        DataType::Utf8 => strings(hasher, array.as_string()),
        DataType::List(_) => lists(hasher, array.as_list()),
        other => unreachable!("no dataset has a column of {other}: a test holds that"),
    }
}

fn tag(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int32 => "i32",
        DataType::Int64 => "i64",
        DataType::UInt32 => "u32",
        DataType::UInt64 => "u64",
        DataType::Timestamp(..) => "time_us",
        DataType::Decimal128(18, 4) => "decimal_18_4",
        DataType::Float64 => "f64",
        DataType::Boolean => "bool",
        DataType::Utf8 => "utf8",
        DataType::List(_) => "list",
        other => unreachable!("no dataset has a column of {other}: a test holds that"),
    }
}

fn fixed<T: ArrowPrimitiveType>(hasher: &mut Hasher, array: &PrimitiveArray<T>) {
    let bytes = array.values().inner().as_slice();
    if array.null_count() == 0 {
        hasher.update(bytes);
        return;
    }
    let width = size_of::<T::Native>();
    let mut copy = bytes.to_vec();
    for row in (0..array.len()).filter(|row| array.is_null(*row)) {
        copy[row * width..(row + 1) * width].fill(0);
    }
    hasher.update(&copy);
}

fn floats(hasher: &mut Hasher, array: &PrimitiveArray<Float64Type>) {
    let mut bytes = Vec::with_capacity(array.len() * 8);
    for (row, &value) in array.values().iter().enumerate() {
        let canonical = if value == 0.0 || array.is_null(row) {
            0.0
        } else if value.is_nan() {
            f64::NAN
        } else {
            value
        };
        bytes.extend_from_slice(&canonical.to_le_bytes());
    }
    hasher.update(&bytes);
}

fn booleans(hasher: &mut Hasher, array: &BooleanArray) {
    hasher.update(&bits(array.iter().map(|value| value.unwrap_or(false))));
}

fn strings(hasher: &mut Hasher, array: &StringArray) {
    let valid = |row: usize| array.is_valid(row);
    lengths(hasher, array.value_offsets(), valid);
    if array.null_count() == 0 {
        let offsets = array.value_offsets();
        let (first, last) = (offsets[0] as usize, offsets[array.len()] as usize);
        hasher.update(&array.value_data()[first..last]);
    } else {
        for value in array.iter().flatten() {
            hasher.update(value.as_bytes());
        }
    }
}

fn lists(hasher: &mut Hasher, array: &ListArray) {
    lengths(hasher, array.value_offsets(), |row| array.is_valid(row));
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0] as usize, offsets[array.len()] as usize);
    let mut items = array.values().slice(first, last - first);
    if array.null_count() > 0 {
        // A null list may hold items that nobody can see.
        let seen: BooleanArray = (0..array.len())
            .flat_map(|row| {
                (offsets[row]..offsets[row + 1]).map(move |_| Some(array.is_valid(row)))
            })
            .collect();
        items = filter(&items, &seen).expect("the mask has one flag for every item");
    }
    column_values(hasher, &items);
}

fn lengths(hasher: &mut Hasher, offsets: &[i32], valid: impl Fn(usize) -> bool) {
    let mut bytes = Vec::with_capacity(offsets.len() * 4);
    for (row, pair) in offsets.windows(2).enumerate() {
        let length = if valid(row) { pair[1] - pair[0] } else { 0 };
        bytes.extend_from_slice(&length.to_le_bytes());
    }
    hasher.update(&bytes);
}

fn bits(flags: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK_ROWS / 8);
    for (index, flag) in flags.enumerate() {
        if index % 8 == 0 {
            bytes.push(0);
        }
        if flag && let Some(last) = bytes.last_mut() {
            *last |= 1 << (index % 8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
