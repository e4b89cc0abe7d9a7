//! Looks versions up, inside a transaction or outside, for every database.

use kycc_store::StoreError;
use sqlx::AssertSqlSafe;

use super::rows::{ReadRow, VERSION_COLUMNS};
use crate::core::version::Version;

/// Implemented by the connection of every database.
pub(super) trait ReadVersions {
    /// By version, or by a hash that starts so.
    async fn find(&mut self, name: &str) -> Result<Option<Version>, StoreError>;
    async fn active(&mut self) -> Result<Option<Version>, StoreError>;
    async fn shadow(&mut self) -> Result<Option<Version>, StoreError>;
    /// At most `limit` of those that were active before the present one, the last to be retired first.
    async fn were_active(&mut self, limit: u32) -> Result<Vec<Version>, StoreError>;
    async fn list(
        &mut self,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Version>, StoreError>;
    async fn count(&mut self) -> Result<i64, StoreError>;
}

fn select(rest: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "SELECT {VERSION_COLUMNS} FROM scorecards_versions {rest}"
    ))
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    impl ReadVersions for driver::Connection {
        async fn find(&mut self, name: &str) -> Result<Option<Version>, StoreError> {
            let found = sqlx::query(select(
                "WHERE version = $1 OR ($2 >= 8 AND substr(hash, 1, CAST($2 AS INTEGER)) = $1) ORDER BY version LIMIT 1",
            ))
                .bind(name)
                .bind(i64::try_from(name.len()).unwrap_or(i64::MAX))
                .fetch_optional(self)
                .await;
            one(found).map_err(StoreError::during("read a scorecard version"))
        }

        async fn active(&mut self) -> Result<Option<Version>, StoreError> {
            let found = sqlx::query(select("WHERE status = 'active'")).fetch_optional(self).await;
            one(found).map_err(StoreError::during("read the active scorecard"))
        }

        async fn shadow(&mut self) -> Result<Option<Version>, StoreError> {
            let found = sqlx::query(select("WHERE shadow = 1")).fetch_optional(self).await;
            one(found).map_err(StoreError::during("read the scorecard in the shadow"))
        }

        async fn were_active(&mut self, limit: u32) -> Result<Vec<Version>, StoreError> {
            let rest = "WHERE status = 'retired' AND activated_at IS NOT NULL ORDER BY revision DESC LIMIT $1";
            let rows = sqlx::query(select(rest))
                .bind(i64::from(limit))
                .fetch_all(self)
                .await
                .map_err(StoreError::during("read the scorecards before the active one"))?;
            let versions = rows.iter().map(ReadRow::version).collect::<Result<_, _>>();
            versions.map_err(StoreError::during("read the scorecards before the active one"))
        }

        async fn list(&mut self, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Version>, StoreError> {
            let (at, name) = after.unwrap_or((i64::MAX, String::new()));
            let rest = "WHERE created_at < $1 OR (created_at = $1 AND version < $2)
                        ORDER BY created_at DESC, version DESC LIMIT $3";
            let rows = sqlx::query(select(rest))
                .bind(at)
                .bind(name)
                .bind(i64::from(limit))
                .fetch_all(self)
                .await
                .map_err(StoreError::during("list scorecard versions"))?;
            let versions = rows.iter().map(ReadRow::version).collect::<Result<_, _>>();
            versions.map_err(StoreError::during("list scorecard versions"))
        }

        async fn count(&mut self) -> Result<i64, StoreError> {
            sqlx::query("SELECT COUNT(*) FROM scorecards_versions")
                .fetch_one(self)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("count scorecard versions"))
        }
    }

    fn one(found: Result<Option<driver::Row>, sqlx::Error>) -> Result<Option<Version>, sqlx::Error> {
        found?.as_ref().map(ReadRow::version).transpose()
    }
}
