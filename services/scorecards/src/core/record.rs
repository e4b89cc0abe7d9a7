//! All of a version's row that never changes, as one hash that the audit log keeps from the version's entry on.

use kycc_domain::canonical::{canonical_json, sha256_hex};
use serde::Serialize;

/// The columns as they are stored, texts untouched.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Record<'a> {
    pub(crate) version: &'a str,
    pub(crate) card: &'a str,
    pub(crate) gates: Option<&'a str>,
    pub(crate) model_card: Option<&'a str>,
    pub(crate) missing_link: Option<&'a str>,
    pub(crate) author: &'a str,
    pub(crate) parent: Option<&'a str>,
    pub(crate) model_id: Option<&'a str>,
    pub(crate) run_id: Option<&'a str>,
    pub(crate) blend: f64,
    pub(crate) created_at: i64,
}

impl Record<'_> {
    pub(crate) fn hash(&self) -> String {
        sha256_hex(&canonical_json(self))
    }
}
