//! What a materialization tells about an ingestion, and what its log says in words.

use chrono::DateTime;
use kycc_lake::Metadata;
use kycc_runtime::TaskContext;
use serde_json::{Value, json};

use crate::core::table::{PROFILES, Table};
use crate::relate::Related;
use crate::stage::counts::Counts;

pub(crate) fn metadata(related: &Related, as_of: i64, bytes_read: u64) -> Metadata {
    let mut metadata = Metadata::new();
    for (table, counts) in &related.counts {
        metadata.insert(table.name().to_owned(), counts.to_json());
    }
    let sum = |of: fn(&Counts) -> u64| -> u64 { related.counts.values().map(of).sum() };
    let currencies: Vec<_> = related.currencies.iter().map(String::as_str).collect();
    let entries = [
        ("as_of", json!(rfc3339(as_of))),
        ("bytes_read", json!(bytes_read)),
        ("currency", json!(currencies.join(", "))),
        ("records_read", json!(sum(|counts| counts.read))),
        ("records_accepted", json!(sum(|counts| counts.accepted))),
        ("records_rejected", json!(sum(|counts| counts.rejected))),
        ("records_duplicate", json!(sum(Counts::duplicates))),
        ("records_future", json!(sum(|counts| counts.future))),
        (
            "unknown_fields",
            json!(sum(|counts| counts.unknown.total())),
        ),
        ("unknown_party_types", json!(related.unknown_party_types)),
        (
            "contradicted_outcomes",
            json!(related.contradicted.outcomes),
        ),
    ];
    metadata.extend(entries.map(|(key, value): (&str, Value)| (key.to_owned(), value)));
    metadata
}

pub(crate) fn log(cx: &TaskContext, related: &Related) {
    for table in PROFILES.into_iter().chain([Table::Outcomes]) {
        let Some(counts) = related.counts.get(&table) else {
            continue;
        };
        let line = format!(
            "{table}: {} read, {} accepted, {} rejected, {} duplicate, {} after the as-of time",
            counts.read,
            counts.accepted,
            counts.rejected,
            counts.duplicates(),
            counts.future
        );
        if counts.rejected > 0 {
            cx.warning(line);
        } else {
            cx.info(line);
        }
        let unknown: Vec<_> = counts
            .unknown
            .sorted()
            .into_iter()
            .map(|(name, count)| format!("{name} ({count})"))
            .collect();
        if !unknown.is_empty() {
            cx.info(format!("{table}: fields left out: {}", unknown.join(", ")));
        }
    }
    for reject in &related.first_rejects {
        cx.warning(format!("rejected: {reject}"));
    }
    let rejected: u64 = related.counts.values().map(|counts| counts.rejected).sum();
    let untold = rejected.saturating_sub(related.first_rejects.len() as u64);
    if untold > 0 {
        cx.warning(format!(
            "{untold} more are in the batch's dataset `rejected`"
        ));
    }
    if let Some((party, kind)) = &related.contradicted.first {
        let count = related.contradicted.outcomes;
        cx.warning(format!(
            "{count} outcomes came several times and not the same, the last of each stands; the first is {kind} of party \
             {party}"
        ));
    }
    if related.unknown_party_types > 0 {
        let count = related.unknown_party_types;
        cx.warning(format!(
            "{count} parties have a party_type that is not known; they score as others do"
        ));
    }
    if related.currencies.len() > 1 {
        let all: Vec<_> = related.currencies.iter().map(String::as_str).collect();
        cx.warning(format!(
            "amounts of several currencies are added up as they are: {}",
            all.join(", ")
        ));
    }
}

pub(crate) fn rfc3339(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .unwrap_or_default()
        .to_rfc3339()
}
