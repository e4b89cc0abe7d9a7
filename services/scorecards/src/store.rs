//! Versions in the state store: entered once, never edited, exactly one of them active.

mod rows;

use async_trait::async_trait;
use kycc_store::{Migration, StoreError};

use crate::core::version::{Status, Version};

pub(crate) const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "versions",
    sql: include_str!("../migrations/001_versions.sql"),
}];

/// What is written when a version becomes the active one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activation<'a> {
    pub(crate) version: &'a str,
    pub(crate) approver: &'a str,
    pub(crate) note: &'a str,
    pub(crate) self_approved: bool,
    pub(crate) at_micros: i64,
}

#[async_trait]
pub(crate) trait VersionStore: Send + Sync {
    /// Enters a version unless one with that content is there; returns the name of the one that stands.
    async fn enter(&self, version: &Version) -> Result<String, StoreError>;

    /// Makes `first` the active version if there is no version at all.
    async fn seed(&self, first: &Version) -> Result<(), StoreError>;

    /// By version or by a hash that starts so.
    async fn get(&self, name: &str) -> Result<Option<Version>, StoreError>;

    async fn active(&self) -> Result<Option<Version>, StoreError>;

    /// At most `limit` versions that come after `after` (created at, version), newest first.
    async fn list(
        &self,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Version>, StoreError>;

    /// In one transaction: retires the active version and makes this one active.
    async fn activate(&self, activation: Activation<'_>) -> Result<(), StoreError>;
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;
    use super::rows::{COLUMNS, version};

    #[async_trait]
    impl VersionStore for driver::Store {
        async fn enter(&self, version: &Version) -> Result<String, StoreError> {
            let mut tx = self.begin().await?;
            insert(&mut tx, version).await?;
            let name: String = sqlx::query("SELECT version FROM scorecards_versions WHERE hash = $1")
                .bind(version.card.hash().to_string())
                .fetch_one(&mut *tx)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("enter a scorecard version"))?;
            tx.commit().await?;
            Ok(name)
        }

        async fn seed(&self, first: &Version) -> Result<(), StoreError> {
            let mut tx = self.begin().await?;
            let count: i64 = sqlx::query("SELECT COUNT(*) FROM scorecards_versions")
                .fetch_one(&mut *tx)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("count scorecard versions"))?;
            if count == 0 {
                insert(&mut tx, first).await?;
            }
            tx.commit().await
        }

        async fn get(&self, name: &str) -> Result<Option<Version>, StoreError> {
            let sql = format!(
                "SELECT {COLUMNS} FROM scorecards_versions
                 WHERE version = $1 OR substr(hash, 1, $2) = $1 ORDER BY version LIMIT 1"
            );
            let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(name)
                .bind(i64::try_from(name.len()).unwrap_or(i64::MAX))
                .fetch_optional(self.read())
                .await
                .map_err(StoreError::during("read a scorecard version"))?;
            row.as_ref().map(version).transpose().map_err(StoreError::during("read a scorecard version"))
        }

        async fn active(&self) -> Result<Option<Version>, StoreError> {
            let sql = format!("SELECT {COLUMNS} FROM scorecards_versions WHERE status = 'active'");
            let row = sqlx::query(sqlx::AssertSqlSafe(sql))
                .fetch_optional(self.read())
                .await
                .map_err(StoreError::during("read the active scorecard"))?;
            row.as_ref().map(version).transpose().map_err(StoreError::during("read the active scorecard"))
        }

        async fn list(&self, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Version>, StoreError> {
            let (at, name) = after.unwrap_or((i64::MAX, String::new()));
            let sql = format!(
                "SELECT {COLUMNS} FROM scorecards_versions
                 WHERE created_at < $1 OR (created_at = $1 AND version < $2)
                 ORDER BY created_at DESC, version DESC LIMIT $3"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(at)
                .bind(name)
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(StoreError::during("list scorecard versions"))?;
            rows.iter().map(version).collect::<Result<_, _>>().map_err(StoreError::during("list scorecard versions"))
        }

        async fn activate(&self, activation: Activation<'_>) -> Result<(), StoreError> {
            let mut tx = self.begin().await?;
            sqlx::query("UPDATE scorecards_versions SET status = $1 WHERE status = 'active'")
                .bind(Status::Retired.as_str())
                .execute(&mut *tx)
                .await
                .map_err(StoreError::during("retire the active scorecard"))?;
            sqlx::query(
                "UPDATE scorecards_versions
                 SET status = 'active', approver = $2, note = $3, self_approved = $4, activated_at = $5
                 WHERE version = $1",
            )
            .bind(activation.version)
            .bind(activation.approver)
            .bind(activation.note)
            .bind(i64::from(activation.self_approved))
            .bind(activation.at_micros)
            .execute(&mut *tx)
            .await
            .map_err(StoreError::during("activate a scorecard"))?;
            tx.commit().await
        }
    }

    async fn insert(tx: &mut driver::Tx, version: &Version) -> Result<(), StoreError> {
        let json = |error: serde_json::Error| sqlx::Error::Encode(Box::new(error));
        let encoding = StoreError::during("write a scorecard as JSON");
        let gates = version.gates.as_ref().map(serde_json::to_string).transpose();
        let texts = serde_json::to_string(&version.card).and_then(|card| Ok((card, gates?))).map_err(json);
        let (card, gates) = texts.map_err(encoding)?;
        sqlx::query(
            "INSERT INTO scorecards_versions (version, hash, status, card, gates, author, approver, note, self_approved,
                parent, model_id, run_id, blend, created_at, activated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(version.card.version())
        .bind(version.card.hash().to_string())
        .bind(version.status.as_str())
        .bind(card)
        .bind(gates)
        .bind(&version.author)
        .bind(&version.approver)
        .bind(&version.note)
        .bind(i64::from(version.self_approved))
        .bind(&version.parent)
        .bind(&version.model_id)
        .bind(&version.run_id)
        .bind(version.blend)
        .bind(version.created_at_micros)
        .bind(version.activated_at_micros)
        .execute(&mut **tx)
        .await
        .map_err(StoreError::during("enter a scorecard version"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
