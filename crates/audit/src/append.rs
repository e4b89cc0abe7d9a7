//! Entries written inside a caller's transaction, for every database.

use std::fmt::Write as _;

use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use crate::read::ReadAudit as _;
use crate::{Deed, Entry};

/// Rows of one statement: databases bound the number of parameters.
const MOST_ROWS: usize = 1_000;
const COLUMNS: usize = 12;

/// Implemented by the connection of every database.
pub trait AppendAudit {
    /// Seals the deeds behind the last entry of the service's chain, in order: one look at the head, one statement.
    ///
    /// The caller's transaction is the only one that appends to this chain: it holds the aggregate's exclusive lock
    /// (`begin_exclusive`), or has updated the row that all writers of that service update first. Where it does not, the
    /// one that comes second fails with a unique violation, and nothing of it stands.
    fn append_audit(
        &mut self,
        service: &str,
        deeds: &[Deed],
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;
}

/// `($1, …), (…)`
fn places(rows: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=COLUMNS {
            let comma = if column == 1 { "" } else { ", " };
            let _ = write!(text, "{comma}${}", row * COLUMNS + column);
        }
        text.push(')');
    }
    text
}

kycc_store::for_each_driver! {
    impl AppendAudit for driver::Connection {
        async fn append_audit(&mut self, service: &str, deeds: &[Deed]) -> Result<Vec<Entry>, StoreError> {
            if deeds.is_empty() {
                return Ok(Vec::new());
            }
            let mut head = self.audit_head(service).await?;
            let mut entries = Vec::with_capacity(deeds.len());
            for deed in deeds {
                let entry = Entry::seal(service, &head, deed);
                head = entry.head();
                entries.push(entry);
            }
            for entries in entries.chunks(MOST_ROWS) {
                let sql = format!(
                    "INSERT INTO audit_entries (service, sequence, created_at, principal, action, subject, reason, details, \
                        request_id, trace_id, previous_hash, hash) VALUES {}",
                    places(entries.len())
                );
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for entry in entries {
                    query = query
                        .bind(&entry.service)
                        .bind(entry.sequence)
                        .bind(entry.at_micros)
                        .bind(&entry.principal)
                        .bind(&entry.action)
                        .bind(&entry.subject)
                        .bind(&entry.reason)
                        .bind(&entry.details)
                        .bind(&entry.request_id)
                        .bind(&entry.trace_id)
                        .bind(&entry.previous_hash)
                        .bind(&entry.hash);
                }
                query.execute(&mut *self).await.map_err(StoreError::during("append to the audit log"))?;
            }
            Ok(entries)
        }
    }
}
