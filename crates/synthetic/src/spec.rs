//! What a batch should be like, and which wishes are refused before anything is written.

use chrono::{DateTime, Datelike, Utc};

use crate::error::SyntheticError;

/// Parties and, at the most, edges are fewer than 2^32: the network's indices and its draws rely on that.
const MOST_PARTIES: u64 = 20_000_000;
const MOST_EDGES_PER_PARTY: f64 = 100.0;
const MOST_TRANSACTIONS_PER_PARTY: f64 = 100_000.0;
const LONGEST_BATCH_ID: usize = 128;

/// 2026-01-31T00:00:00Z. Fixed, never the wall clock, so that a spec means the same batch tomorrow.
const DEFAULT_GENERATED_AT_SECONDS: i64 = 1_769_817_600;

/// A synthetic batch. Equal specs give equal bytes; the format changes the spelling, not the records.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Letters, digits, `_`, `-` and `.`: it names files.
    pub batch_id: String,
    pub parties: u64,
    pub seed: u64,
    /// The batch's as-of. No event is later.
    pub generated_at: DateTime<Utc>,
    /// Mean over all parties; a party's own number is log-normal.
    pub transactions_per_party: f64,
    /// Mean over all parties. Few parties cannot hold many relationships: a small batch may stay below it.
    pub edges_per_party: f64,
    pub format: Format,
}

/// How the batch is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object with an array per table.
    Document,
    /// A folder with one file of JSON lines per table.
    Ndjson,
    /// A folder with one CSV file per table, with a header line.
    Csv,
}

impl Spec {
    /// A document of `parties` parties, with 20 transactions and 3 relationships each on average.
    pub fn new(batch_id: impl Into<String>, parties: u64, seed: u64) -> Self {
        Self {
            batch_id: batch_id.into(),
            parties,
            seed,
            generated_at: DateTime::from_timestamp(DEFAULT_GENERATED_AT_SECONDS, 0)
                .expect("a date of this century can be represented"),
            transactions_per_party: 20.0,
            edges_per_party: 3.0,
            format: Format::Document,
        }
    }

    pub(crate) fn check(&self) -> Result<(), SyntheticError> {
        let id = &self.batch_id;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if id.is_empty()
            || id.len() > LONGEST_BATCH_ID
            || id.starts_with('.')
            || !id.bytes().all(plain)
        {
            return Err(SyntheticError::BatchId {
                batch_id: id.clone(),
            });
        }
        if !(1..=MOST_PARTIES).contains(&self.parties) {
            return Err(SyntheticError::Parties {
                parties: self.parties,
                most: MOST_PARTIES,
            });
        }
        mean_within(
            "transactions_per_party",
            self.transactions_per_party,
            MOST_TRANSACTIONS_PER_PARTY,
        )?;
        mean_within(
            "edges_per_party",
            self.edges_per_party,
            MOST_EDGES_PER_PARTY,
        )?;
        // Parties are up to 45 years old, and a year is written with four digits.
        if !(1970..=9999).contains(&self.generated_at.year()) {
            return Err(SyntheticError::GeneratedAt {
                generated_at: self.generated_at,
            });
        }
        Ok(())
    }

    /// The as-of in whole seconds since 1970, rounded down: no event of whole seconds is later.
    pub(crate) fn as_of_seconds(&self) -> i64 {
        self.generated_at.timestamp()
    }
}

fn mean_within(field: &'static str, value: f64, most: f64) -> Result<(), SyntheticError> {
    // Not a number is in no range.
    if (0.0..=most).contains(&value) {
        Ok(())
    } else {
        Err(SyntheticError::Mean { field, value, most })
    }
}
