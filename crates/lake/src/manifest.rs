//! The record that makes a version exist: what it holds, in which files, with which digest.

use crate::metadata::Metadata;
use crate::shard::Shard;
use crate::version::VersionId;
use kycc_domain::ids::{BatchId, DatasetName, Digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `manifest.json` of a version. Written last, never replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub dataset: DatasetName,
    pub batch: BatchId,
    pub key: String,
    pub schema_version: u32,
    /// Of the rows in canonical form; equal for every correct writer of this version.
    pub digest: Digest,
    pub rows: u64,
    pub bytes: u64,
    /// In row order.
    pub files: Vec<DataFile>,
    pub metadata: Metadata,
    /// Who wrote it; of a version in shards, who wrote the first shard.
    pub attempt: Uuid,
}

/// One data file. Its hash is for integrity alone: equal rows may have unequal bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFile {
    /// Within the version's folder, as `attempt-<uuid>/part-0000.parquet`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub blake3: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ordinal: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ordinal: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_party: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_party: Option<String>,
}

/// `shards/NNNN-of-NNNN.json`: one shard's part, visible to nobody but those who compose the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardManifest {
    pub index: u32,
    pub count: u32,
    pub schema_version: u32,
    pub rows: u64,
    /// One digest for every block of rows, in order.
    pub blocks: Vec<Digest>,
    pub files: Vec<DataFile>,
    /// Before it is summarised.
    pub metadata: Metadata,
    pub attempt: Uuid,
}

/// What publishing a part led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Published {
    /// The version is there.
    Complete(Manifest),
    /// The shard is there; others are missing yet.
    Shard,
}

impl Published {
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Complete(manifest) => Some(manifest),
            Self::Shard => None,
        }
    }
}

impl Manifest {
    pub fn version(&self) -> VersionId {
        VersionId {
            dataset: self.dataset.clone(),
            batch: self.batch.clone(),
            key: self.key.clone(),
        }
    }
}

impl ShardManifest {
    pub fn shard(&self) -> Shard {
        Shard {
            index: self.index,
            count: self.count,
        }
    }
}
