//! The log of publications: which materialization became the current one of its batch, in the order in which that was
//! written. The leader alone writes, one transaction after the other, so positions grow in the order of commits and whoever
//! has read up to one misses nothing before it.

use async_trait::async_trait;
use kycc_domain::ids::AssetKey;
use sqlx::Row as _;

use super::RunStoreError;
use super::read::FromStored as _;
use super::rows::{bigint, count};
use super::types::StoredMaterialization;
use super::values::statement;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Publication {
    /// From 1, unique among all assets; entries whose materialization was removed leave gaps.
    pub position: u64,
    pub made: StoredMaterialization,
}

/// What the log is read with.
#[async_trait]
pub(crate) trait PublicationStore: Send + Sync + std::fmt::Debug {
    /// Position of the newest entry of all assets; 0 where there is none.
    async fn newest_position(&self) -> Result<u64, RunStoreError>;

    /// Entries of an asset after one position up to another, in order; without the materializations' metadata unless it is
    /// wanted.
    async fn publications(
        &self,
        asset: &AssetKey,
        after: u64,
        up_to: u64,
        with_metadata: bool,
        limit: u32,
    ) -> Result<Vec<Publication>, RunStoreError>;
}

pub(super) struct NewPublication<'a> {
    pub(super) asset: &'a str,
    pub(super) batch: &'a str,
    pub(super) id: &'a str,
    /// Microseconds UTC.
    pub(super) at: i64,
}

/// Implemented by the connection of every database.
pub(super) trait WritePublications {
    /// Adds entries; answers the position of the last.
    async fn publish(&mut self, new: &[NewPublication<'_>]) -> Result<Option<u64>, RunStoreError>;
}

kycc_store::for_each_driver! {
    impl WritePublications for driver::Connection {
        async fn publish(&mut self, new: &[NewPublication<'_>]) -> Result<Option<u64>, RunStoreError> {
            let failed = || RunStoreError::sql("publish materializations");
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_publications \
                (position, asset, batch_id, materialization_id, published_at) \
                SELECT (SELECT COALESCE(MAX(position), 0) FROM orchestrator_publications) + v.column1, \
                    v.column2, v.column3, v.column4, v.column5 FROM (VALUES {}) AS v RETURNING position", new.len(), 5));
            for (number, entry) in (1i64..).zip(new) {
                query = query.bind(number).bind(entry.asset).bind(entry.batch).bind(entry.id).bind(entry.at);
            }
            let mut last = None;
            for row in query.fetch_all(&mut *self).await.map_err(failed())? {
                last = last.max(Some(count("position", row.try_get(0).map_err(failed())?)?));
            }
            Ok(last)
        }
    }

    #[async_trait]
    impl PublicationStore for driver::Store {
        async fn newest_position(&self) -> Result<u64, RunStoreError> {
            let newest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(position), 0) FROM orchestrator_publications")
                .fetch_one(self.read())
                .await
                .map_err(RunStoreError::sql("read the newest position"))?;
            count("position", newest)
        }

        async fn publications(
            &self,
            asset: &AssetKey,
            after: u64,
            up_to: u64,
            with_metadata: bool,
            limit: u32,
        ) -> Result<Vec<Publication>, RunStoreError> {
            let failed = || RunStoreError::sql("read publications");
            let rows = sqlx::query("SELECT p.position, m.materialization_id, m.asset, m.batch_id, m.version_key, m.run_id, \
                    m.created_at, m.inputs, m.outputs, CASE WHEN $4 = 1 THEN m.metadata ELSE '{}' END AS metadata \
                FROM orchestrator_publications p JOIN orchestrator_materializations m \
                    ON m.materialization_id = p.materialization_id \
                WHERE p.asset = $1 AND p.position > $2 AND p.position <= $3 ORDER BY p.position LIMIT $5")
                .bind(asset.as_str())
                .bind(bigint(after))
                .bind(bigint(up_to))
                .bind(i64::from(with_metadata))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(failed())?;
            let publication = |row| {
                let row: &driver::Row = row;
                let position = count("position", row.try_get("position").map_err(failed())?)?;
                Ok(Publication { position, made: row.materialization()? })
            };
            rows.iter().map(publication).collect()
        }
    }
}
