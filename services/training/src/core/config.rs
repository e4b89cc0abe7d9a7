//! How to train.

use kycc_domain::logistic::Penalty;
use serde::{Deserialize, Serialize};

/// See the asset's config schema in the pipeline definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// Asked for by name; which they are is the engine's to find out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batches: Option<Vec<String>>,
    pub(crate) min_samples: usize,
    #[serde(default)]
    pub(crate) penalty: Penalty,
    pub(crate) c: f64,
    pub(crate) c_search: bool,
    pub(crate) balanced: bool,
    pub(crate) sign_constraints: bool,
    pub(crate) shrink_to_expert: Shrink,
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shrink {
    /// While training bads are few for the number of factors.
    Auto,
    Always,
    Never,
}
