//! Reads the audit log and appends to it, for every database.

use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use super::rows::{ENTRY_COLUMNS, ReadRow};
use crate::core::audit::{Deed, Entry, Head};

/// Implemented by the connection of every database.
pub(super) trait Log {
    async fn head(&mut self) -> Result<Head, StoreError>;
    async fn entries(
        &mut self,
        version: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;
    /// The entry that a request made.
    async fn made_by(&mut self, request_id: &str) -> Result<Option<Entry>, StoreError>;
    /// Seals the deed behind the last entry.
    async fn append(&mut self, deed: &Deed) -> Result<Entry, StoreError>;
}

fn select(rest: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT {ENTRY_COLUMNS} FROM scorecards_audit {rest}"
    ))
}

kycc_store::for_each_driver! {
    impl Log for driver::Connection {
        async fn head(&mut self) -> Result<Head, StoreError> {
            let last = sqlx::query(select("ORDER BY sequence DESC LIMIT 1"))
                .fetch_optional(self)
                .await
                .and_then(|row| row.map(|row| row.entry()).transpose())
                .map_err(StoreError::during("read the head of the audit log"))?;
            Ok(last.map_or_else(Head::genesis, |entry| entry.head()))
        }

        async fn entries(&mut self, version: &str, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
            // Two statements, so that each has its index.
            let rest = if version.is_empty() {
                "WHERE sequence > $1 AND $2 = '' ORDER BY sequence LIMIT $3"
            } else {
                "WHERE sequence > $1 AND version = $2 ORDER BY sequence LIMIT $3"
            };
            let rows = sqlx::query(select(rest))
                .bind(after)
                .bind(version)
                .bind(i64::from(limit))
                .fetch_all(self)
                .await
                .map_err(StoreError::during("read the audit log"))?;
            let entries = rows.iter().map(ReadRow::entry).collect::<Result<_, _>>();
            entries.map_err(StoreError::during("read the audit log"))
        }

        async fn made_by(&mut self, request_id: &str) -> Result<Option<Entry>, StoreError> {
            sqlx::query(select("WHERE request_id = $1"))
                .bind(request_id)
                .fetch_optional(self)
                .await
                .and_then(|row| row.map(|row| row.entry()).transpose())
                .map_err(StoreError::during("look a request up in the audit log"))
        }

        async fn append(&mut self, deed: &Deed) -> Result<Entry, StoreError> {
            let entry = Entry::seal(&self.head().await?, deed);
            sqlx::query(
                "INSERT INTO scorecards_audit (sequence, created_at, principal, action, version, card_hash, reason, details,
                    request_id, previous_hash, hash)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(entry.sequence)
            .bind(entry.at_micros)
            .bind(&entry.principal)
            .bind(&entry.action)
            .bind(&entry.version)
            .bind(&entry.card_hash)
            .bind(&entry.reason)
            .bind(&entry.details)
            .bind(&entry.request_id)
            .bind(&entry.previous_hash)
            .bind(&entry.hash)
            .execute(self)
            .await
            .map_err(StoreError::during("append to the audit log"))?;
            Ok(entry)
        }
    }
}
