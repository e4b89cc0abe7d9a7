//! The run store on SQL, for every database.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kycc_audit::{AppendAudit as _, Deed};
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use sqlx::AssertSqlSafe;

use super::apply::ApplyChanges as _;
use super::leader::Fence as _;
use super::read::{FromStored, RUN_COLUMNS, ReadRuns};
use super::rows::{bigint, id};
use super::values::{chunks, statement};
use super::write::WriteRuns as _;
use super::{
    Applied, Change, Created, Epoch, FeedEvent, FeedFilter, NewRun, RunFilter, RunStore,
    RunStoreError, SERVICE, StoredEvent, StoredMaterialization, StoredRun, VersionOf,
};
use crate::core::RunStatus;

kycc_store::for_each_driver! {
    #[async_trait]
    impl RunStore for driver::Store {
        async fn create(&self, epoch: Epoch, new: &[NewRun]) -> Result<Vec<Created>, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("create runs"))?;
            let mut positions = tx.fence(epoch, new.iter().map(|run| run.log.len()).sum()).await?;
            let created = tx.insert_runs(new, &mut positions).await?;
            tx.commit().await.map_err(RunStoreError::store("create runs"))?;
            Ok(created)
        }

        async fn record(&self, epoch: Epoch, deed: &Deed) -> Result<(), RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("append to the audit log"))?;
            tx.fence(epoch, 0).await?;
            let appended = tx.append_audit(SERVICE, std::slice::from_ref(deed)).await;
            appended.map_err(RunStoreError::store("append to the audit log"))?;
            tx.commit().await.map_err(RunStoreError::store("append to the audit log"))
        }

        async fn run(&self, run_id: &RunId) -> Result<Option<StoredRun>, RunStoreError> {
            let row = sqlx::query(AssertSqlSafe(format!("SELECT {RUN_COLUMNS} FROM orchestrator_runs WHERE run_id = $1")))
                .bind(run_id.as_str())
                .fetch_optional(self.read())
                .await
                .map_err(RunStoreError::sql("read a run"))?;
            match row {
                Some(row) => Ok(Some(self.read().complete(row.run()?).await?)),
                None => Ok(None),
            }
        }

        async fn runs(&self, filter: &RunFilter, before: Option<&RunId>, limit: u32) -> Result<Vec<StoredRun>, RunStoreError> {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT {RUN_COLUMNS} FROM orchestrator_runs \
                WHERE ($1 = '' OR job = $1) AND ($2 = '' OR batch_id = $2) AND ($3 = '' OR status = $3) \
                    AND ($4 = '' OR run_id < $4) ORDER BY run_id DESC LIMIT $5")))
                .bind(&filter.job)
                .bind(&filter.batch)
                .bind(filter.status.map_or("", RunStatus::as_str))
                .bind(before.map_or("", |b| b.as_str()))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list runs"))?;
            let mut runs = Vec::with_capacity(rows.len());
            for row in &rows {
                runs.push(self.read().complete(row.run()?).await?);
            }
            Ok(runs)
        }

        async fn live_facts(&self) -> Result<Vec<StoredRun>, RunStoreError> {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT {RUN_COLUMNS} FROM orchestrator_runs \
                WHERE status IN ('QUEUED', 'STARTING', 'STARTED', 'CANCELING') ORDER BY run_id")))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list live runs"))?;
            rows.iter().map(FromStored::run).collect()
        }

        async fn live_runs(&self) -> Result<Vec<StoredRun>, RunStoreError> {
            let mut runs = Vec::new();
            for run in self.live_facts().await? {
                runs.push(self.read().complete(run).await?);
            }
            Ok(runs)
        }

        async fn live_run_ids(&self) -> Result<Vec<RunId>, RunStoreError> {
            let ids: Vec<String> = sqlx::query_scalar(
                "SELECT run_id FROM orchestrator_runs WHERE status IN ('QUEUED', 'STARTING', 'STARTED', 'CANCELING')")
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list live runs"))?;
            ids.iter().map(|text| id("run id", text)).collect()
        }

        async fn apply(&self, epoch: Epoch, changes: &[Change]) -> Result<Applied, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("apply changes"))?;
            let mut positions = tx.fence(epoch, changes.iter().map(|change| change.log.len()).sum()).await?;
            let applied = tx.apply_turn(changes, &mut positions).await?;
            tx.commit().await.map_err(RunStoreError::store("apply changes"))?;
            Ok(applied)
        }

        async fn events(&self, run_id: &RunId, after: u64, limit: u32) -> Result<Vec<StoredEvent>, RunStoreError> {
            let rows = sqlx::query("SELECT * FROM orchestrator_events WHERE run_id = $1 AND sequence > $2 \
                ORDER BY sequence LIMIT $3")
                .bind(run_id.as_str())
                .bind(bigint(after))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("read events"))?;
            rows.iter().map(FromStored::event).collect()
        }

        async fn feed(&self, filter: &FeedFilter, after: i64, limit: u32) -> Result<Vec<FeedEvent>, RunStoreError> {
            // Places 1 to 6 are taken.
            let places: Vec<String> = (0..filter.kinds.len()).map(|kind| format!("${}", kind + 7)).collect();
            let of_kinds = if places.is_empty() { "1 = 1".to_owned() } else { format!("e.kind IN ({})", places.join(", ")) };
            let mut query = sqlx::query(AssertSqlSafe(format!("SELECT e.*, r.job AS job, r.batch_id AS batch_id \
                FROM orchestrator_events e JOIN orchestrator_runs r ON r.run_id = e.run_id \
                WHERE e.position > $1 AND e.position <= $2 AND ($3 = '' OR r.job = $3) AND ($4 = '' OR r.batch_id = $4) \
                    AND ($5 = '' OR e.asset = $5) AND {of_kinds} ORDER BY e.position LIMIT $6")))
                .bind(after)
                .bind(filter.up_to)
                .bind(&filter.job)
                .bind(&filter.batch)
                .bind(&filter.asset)
                .bind(i64::from(limit));
            for kind in &filter.kinds {
                query = query.bind(kind.as_str());
            }
            let rows = query.fetch_all(self.read()).await.map_err(RunStoreError::sql("read the feed of events"))?;
            rows.iter().map(FromStored::feed_event).collect()
        }

        async fn last_position(&self) -> Result<i64, RunStoreError> {
            sqlx::query_scalar("SELECT last_position FROM orchestrator_leader WHERE seat = 1")
                .fetch_one(self.read())
                .await
                .map_err(RunStoreError::sql("read the feed of events"))
        }

        async fn find_materializations(&self, wanted: &[VersionOf]) -> Result<Vec<Option<StoredMaterialization>>, RunStoreError> {
            let mut newest = BTreeMap::new();
            for wanted in chunks(wanted) {
                let mut query = sqlx::query(statement("SELECT * FROM orchestrator_materializations \
                    WHERE (asset, batch_id, version_key) IN (VALUES {}) ORDER BY materialization_id", wanted.len(), 3));
                for VersionOf { asset, batch, key } in wanted {
                    query = query.bind(asset.as_str()).bind(batch.as_str()).bind(key);
                }
                let rows = query.fetch_all(self.read()).await.map_err(RunStoreError::sql("look materializations up"))?;
                for row in &rows {
                    let found = row.materialization()?;
                    let (asset, batch, key) = (found.asset.clone(), found.batch.clone(), found.key.clone());
                    newest.insert(VersionOf { asset, batch, key }, found);
                }
            }
            Ok(wanted.iter().map(|wanted| newest.get(wanted).cloned()).collect())
        }

        async fn current(&self, asset: &AssetKey, batch: Option<&BatchId>) -> Result<Vec<StoredMaterialization>, RunStoreError> {
            let rows = sqlx::query("SELECT m.* FROM orchestrator_current c JOIN orchestrator_materializations m \
                    ON m.materialization_id = c.materialization_id \
                WHERE c.asset = $1 AND ($2 = '' OR c.batch_id = $2) ORDER BY m.materialization_id DESC")
                .bind(asset.as_str())
                .bind(batch.map_or("", |b| b.as_str()))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("read current materializations"))?;
            rows.iter().map(FromStored::materialization).collect()
        }

        async fn materializations(&self, asset: &AssetKey, batch: Option<&BatchId>, before: Option<&str>, limit: u32) -> Result<Vec<StoredMaterialization>, RunStoreError> {
            let rows = sqlx::query("SELECT * FROM orchestrator_materializations \
                WHERE asset = $1 AND ($2 = '' OR batch_id = $2) AND ($3 = '' OR materialization_id < $3) \
                ORDER BY materialization_id DESC LIMIT $4")
                .bind(asset.as_str())
                .bind(batch.map_or("", |b| b.as_str()))
                .bind(before.unwrap_or(""))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list materializations"))?;
            rows.iter().map(FromStored::materialization).collect()
        }

        async fn definitions(&self, hash: &str) -> Result<Option<String>, RunStoreError> {
            sqlx::query_scalar("SELECT document FROM orchestrator_definitions WHERE hash = $1")
                .bind(hash)
                .fetch_optional(self.read())
                .await
                .map_err(RunStoreError::sql("read definitions"))
        }
    }
}
