//! What the lake knows of a dataset: its shape, its order, and whether it has one row per party.

use crate::version::VersionId;
use arrow::datatypes::SchemaRef;
use kycc_domain::ids::{BatchId, DatasetName};
use std::sync::LazyLock;

/// Rows in Parquet files, or one JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Table,
    Document,
}

/// One dataset. All of them stand in [`crate::datasets`].
#[derive(Debug)]
pub struct DatasetSpec {
    pub name: &'static str,
    /// Raised whenever the schema or the meaning of a column changes; part of the digest.
    pub schema_version: u32,
    pub kind: Kind,
    /// Exactly one row per party of the batch, in ordinal order, or none at all: only such tables can be made in shards.
    pub per_party: bool,
    /// The column of party ordinals that rows are sorted by first, if the dataset has one.
    pub ordinal: Option<&'static str>,
    /// The columns that order the rows; empty where rows keep the order they were written in.
    pub order: &'static [&'static str],
    pub(crate) columns: LazyLock<SchemaRef>,
}

impl DatasetSpec {
    /// The Arrow schema; without columns for a document.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.columns)
    }

    /// The version of this dataset with the given key.
    pub fn version(&self, batch: BatchId, key: impl Into<String>) -> VersionId {
        VersionId {
            dataset: self.dataset_name(),
            batch,
            key: key.into(),
        }
    }

    pub fn dataset_name(&self) -> DatasetName {
        DatasetName::new(self.name).expect("a test holds every name to the grammar")
    }
}
