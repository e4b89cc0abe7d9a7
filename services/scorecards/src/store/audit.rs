//! What the audit log says of versions, and every version held against it, for every database.

use async_trait::async_trait;
use kycc_audit::{Break, Entry, ReadAudit as _, Span, Verified};
use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use super::LogStore;
use super::rows::{ROW_COLUMNS, ReadRow};
use super::rule_sets::RuleRows as _;
use crate::core::audit::{SERVICE, subject};
use crate::core::verify::{Census, History};

/// Rows in memory at once.
const PAGE: u32 = 200;

/// Implemented by the connection of every database.
trait Verify {
    /// The entries of a version that is no more.
    async fn orphans(&mut self) -> Result<Result<(), Break>, StoreError>;
    async fn versions(&mut self) -> Result<Result<(), Break>, StoreError>;
    async fn history(&mut self, version: &str) -> Result<Result<History, Break>, StoreError>;
}

/// A value of another kind than the column is of: nobody but a stranger wrote it.
fn unreadable(error: StoreError, broken: Break) -> Result<Break, StoreError> {
    match kycc_audit::is_unreadable(&error) {
        true => Ok(broken),
        false => Err(error),
    }
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl LogStore for driver::Store {
        async fn entries(&self, version: &str, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
            let connection = self.read().acquire().await;
            let mut connection = connection.map_err(StoreError::during("read the audit log"))?;
            of_version(&mut connection, version, after, limit).await
        }

        async fn verify_span(&self, span: &Span<'_>) -> Result<Verified, StoreError> {
            // One state of the store from the first statement on, so that changes meanwhile look like none.
            let mut tx = self.snapshot().await?;
            let mut found = tx.verify_audit(span).await?;
            if found.complete {
                let mut stands = tx.orphans().await?;
                if stands.is_ok() {
                    stands = tx.versions().await?;
                }
                if stands.is_ok() {
                    stands = tx.check_rules().await?;
                }
                found.broken = stands.err();
            }
            Ok(found)
        }
    }

    /// Of every version where none is named.
    async fn of_version(
        connection: &mut driver::Connection,
        version: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let subject = match version {
            "" => String::new(),
            version => subject(version).as_str().to_owned(),
        };
        connection.audit_chain(SERVICE, &subject, after, limit).await
    }

    impl Verify for driver::Connection {
        async fn orphans(&mut self) -> Result<Result<(), Break>, StoreError> {
            let orphan: Option<(i64, String)> = sqlx::query_as(
                "SELECT sequence, substr(subject, 11) FROM audit_entries AS entry
                 WHERE service = 'scorecards' AND substr(subject, 1, 10) = 'scorecard/' AND NOT EXISTS
                    (SELECT 1 FROM scorecards_versions AS version WHERE 'scorecard/' || version.version = entry.subject)
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
                let page = of_version(self, version, after, PAGE).await?;
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
