//! What became of the records of each table: every one that was read is accepted, rejected, a duplicate, or in the future.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::core::table::Table;
use crate::core::unknown::UnknownFields;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) rejected: u64,
    pub(crate) future: u64,
    pub(crate) accepted: u64,
    pub(crate) unknown: UnknownFields,
}

impl Counts {
    /// Records of an id that a later record has too.
    pub(crate) fn duplicates(&self) -> u64 {
        self.read - self.rejected - self.future - self.accepted
    }

    pub(crate) fn to_json(&self) -> Value {
        let unknown: BTreeMap<_, _> = self.unknown.sorted().into_iter().collect();
        json!({
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "duplicate": self.duplicates(),
            "future": self.future,
            "unknown_fields": self.unknown.total(),
            "unknown_fields_by_name": unknown,
        })
    }
}

pub(crate) type TableCounts = BTreeMap<Table, Counts>;
