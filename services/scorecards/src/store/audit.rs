//! The audit log as people read it, and its verification, for every database.

use async_trait::async_trait;
use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use super::AuditStore;
use super::log::Log;
use super::rows::{ROW_COLUMNS, ReadRow};
use crate::core::audit::{Entry, Head};
use crate::core::verify::{Break, Census, Chain, History, Report};

/// Rows in memory at once.
const PAGE: u32 = 200;

/// Implemented by the connection of every database.
trait Verify {
    async fn chain(&mut self, known: &str, entries: i64) -> Result<Result<(), Break>, StoreError>;
    /// The entries of a version that is no more.
    async fn orphans(&mut self) -> Result<Result<(), Break>, StoreError>;
    async fn versions(&mut self) -> Result<Result<(), Break>, StoreError>;
    async fn history(&mut self, version: &str) -> Result<Result<History, Break>, StoreError>;
}

/// A value of another kind than the column is of: nobody but a stranger wrote it.
fn unreadable(error: StoreError, broken: Break) -> Result<Break, StoreError> {
    match error {
        StoreError::Query {
            source: sqlx::Error::ColumnDecode { .. },
            ..
        } => Ok(broken),
        error => Err(error),
    }
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl AuditStore for driver::Store {
        async fn entries(&self, version: &str, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
            let connection = self.read().acquire().await;
            let mut connection = connection.map_err(StoreError::during("read the audit log"))?;
            connection.entries(version, after, limit).await
        }

        async fn verify(&self, known: &str) -> Result<Report, StoreError> {
            // One state of the store from the first statement on, so that changes meanwhile look like none.
            let mut tx = self.snapshot().await?;
            let entries = sqlx::query("SELECT COUNT(*) FROM scorecards_audit")
                .fetch_one(&mut *tx)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("count the audit log"))?;
            let head = tx.head().await;
            let mut found = tx.chain(known, entries).await?;
            if found.is_ok() {
                found = tx.orphans().await?;
            }
            if found.is_ok() {
                found = tx.versions().await?;
            }
            let broken = found.err();
            let head = match head {
                Err(_) if broken.is_some() => Head::genesis(),
                head => head?,
            };
            Ok(Report { entries, head, broken })
        }
    }

    impl Verify for driver::Connection {
        async fn chain(&mut self, known: &str, entries: i64) -> Result<Result<(), Break>, StoreError> {
            let mut chain = Chain::new(known);
            loop {
                let page = match self.entries("", chain.last(), PAGE).await {
                    Ok(page) => page,
                    Err(error) => {
                        let message = format!("an entry after entry {} is not readable", chain.last());
                        return unreadable(error, Break::new(chain.last() + 1, message)).map(Err);
                    }
                };
                for entry in &page {
                    if let Err(broken) = chain.follow(entry) {
                        return Ok(Err(broken));
                    }
                }
                if page.is_empty() {
                    return Ok(chain.end(entries));
                }
            }
        }

        async fn orphans(&mut self) -> Result<Result<(), Break>, StoreError> {
            let orphan: Option<(i64, String)> = sqlx::query_as(
                "SELECT sequence, version FROM scorecards_audit AS entry WHERE NOT EXISTS
                    (SELECT 1 FROM scorecards_versions AS version WHERE version.version = entry.version)
                 ORDER BY sequence LIMIT 1",
            )
            .fetch_optional(self)
            .await
            .map_err(StoreError::during("look for removed versions"))?;
            Ok(match orphan {
                None => Ok(()),
                Some((sequence, version)) => {
                    let message = format!("version {version} of entry {sequence} was removed behind the log's back");
                    Err(Break::new(sequence, message))
                }
            })
        }

        async fn versions(&mut self) -> Result<Result<(), Break>, StoreError> {
            let (mut census, mut after) = (Census::default(), String::new());
            loop {
                let sql = format!("SELECT {ROW_COLUMNS} FROM scorecards_versions WHERE version > $1 ORDER BY version LIMIT $2");
                let rows = sqlx::query(AssertSqlSafe(sql))
                    .bind(&after)
                    .bind(i64::from(PAGE))
                    .fetch_all(&mut *self)
                    .await
                    .map_err(StoreError::during("read scorecard versions"))?;
                if rows.is_empty() {
                    return Ok(census.end());
                }
                for row in &rows {
                    after = row.try_get("version").map_err(StoreError::during("read scorecard versions"))?;
                    let history = match self.history(&after).await? {
                        Ok(history) => history,
                        Err(broken) => return Ok(Err(broken)),
                    };
                    let row = match row.row() {
                        Ok(row) => row,
                        Err(error) => {
                            let broken = Break::new(history.last(), format!("the row of version {after} is not readable"));
                            return unreadable(StoreError::during("read a scorecard version")(error), broken).map(Err);
                        }
                    };
                    if let Err(broken) = history.agrees(&row) {
                        return Ok(Err(broken));
                    }
                    census.count(&row.version);
                }
            }
        }

        async fn history(&mut self, version: &str) -> Result<Result<History, Break>, StoreError> {
            let (mut history, mut after) = (History::default(), 0);
            loop {
                let page = self.entries(version, after, PAGE).await?;
                for entry in &page {
                    if let Err(broken) = history.follow(entry) {
                        return Ok(Err(broken));
                    }
                    after = entry.sequence;
                }
                if page.is_empty() {
                    return Ok(Ok(history));
                }
            }
        }
    }
}
