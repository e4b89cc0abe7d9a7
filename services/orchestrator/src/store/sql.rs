//! The run store on SQL, for every database.

use async_trait::async_trait;
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use sqlx::AssertSqlSafe;

use super::dead_letters::WriteDeadLetters;
use super::read::{FromStored, RUN_COLUMNS, ReadRuns};
use super::rows::{bigint, id};
use super::write::WriteRuns;
use super::{
    Change, Created, NewRun, RunFilter, RunStore, RunStoreError, StoredEvent,
    StoredMaterialization, StoredRun,
};
use crate::core::RunStatus;

kycc_store::for_each_driver! {
    #[async_trait]
    impl RunStore for driver::Store {
        async fn create(&self, new: &NewRun) -> Result<Created, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("create a run"))?;
            if !new.request_id.is_empty() {
                let before: Option<(String, String)> = sqlx::query_as(
                    "SELECT fingerprint, run_id FROM orchestrator_requests WHERE request_id = $1")
                    .bind(&new.request_id)
                    .fetch_optional(&mut *tx)
                    .await
                    .map_err(RunStoreError::sql("look a request up"))?;
                if let Some((fingerprint, run_id)) = before {
                    let run_id = id("run id", &run_id)?;
                    return Ok(match fingerprint == new.fingerprint {
                        true => Created::Before(run_id),
                        false => Created::Conflict(run_id),
                    });
                }
                sqlx::query("INSERT INTO orchestrator_requests (request_id, fingerprint, run_id) VALUES ($1, $2, $3)")
                    .bind(&new.request_id)
                    .bind(&new.fingerprint)
                    .bind(new.facts.run_id.as_str())
                    .execute(&mut *tx)
                    .await
                    .map_err(RunStoreError::sql("write a request"))?;
            }
            if let Some(letter) = &new.replays
                && let Some(run_id) = tx.mark_replayed(letter, &new.facts).await?
            {
                return Ok(Created::Replayed(run_id));
            }
            tx.insert_run(new).await?;
            tx.commit().await.map_err(RunStoreError::store("create a run"))?;
            Ok(Created::New)
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

        async fn live_runs(&self) -> Result<Vec<StoredRun>, RunStoreError> {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT {RUN_COLUMNS} FROM orchestrator_runs \
                WHERE status IN ('QUEUED', 'STARTING', 'STARTED', 'CANCELING') ORDER BY run_id")))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list live runs"))?;
            let mut runs = Vec::with_capacity(rows.len());
            for row in &rows {
                runs.push(self.read().complete(row.run()?).await?);
            }
            Ok(runs)
        }

        async fn apply(&self, changes: &[Change]) -> Result<Vec<u64>, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("apply changes"))?;
            let mut sequences = Vec::with_capacity(changes.len());
            for change in changes {
                sequences.push(tx.change(change).await?);
            }
            tx.commit().await.map_err(RunStoreError::store("apply changes"))?;
            Ok(sequences)
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

        async fn find_materialization(&self, asset: &AssetKey, batch: &BatchId, key: &str) -> Result<Option<StoredMaterialization>, RunStoreError> {
            let row = sqlx::query("SELECT * FROM orchestrator_materializations \
                WHERE asset = $1 AND batch_id = $2 AND version_key = $3 ORDER BY materialization_id DESC LIMIT 1")
                .bind(asset.as_str())
                .bind(batch.as_str())
                .bind(key)
                .fetch_optional(self.read())
                .await
                .map_err(RunStoreError::sql("look a materialization up"))?;
            row.map(|row| row.materialization()).transpose()
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
