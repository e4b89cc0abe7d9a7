//! The name of one version of a dataset.

use kycc_domain::ids::{BatchId, DatasetName};
use std::fmt;

/// One version: what it holds, of which batch, made from exactly which inputs (`key`, the step key).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId {
    pub dataset: DatasetName,
    pub batch: BatchId,
    pub key: String,
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.dataset, self.batch, self.key)
    }
}
