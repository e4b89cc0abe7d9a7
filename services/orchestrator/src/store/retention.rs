//! What may go because it is old, and what of the lake must stay. Every call touches a bounded number of rows, in a
//! transaction of its own; runs that have not ended and what is current of an asset are never touched.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use kycc_domain::ids::{BatchId, DatasetName, RunId};
use kycc_lake::VersionId;
use sqlx::Row as _;

use super::RunStoreError;
use super::rows::{count, id, json, json_option};
use crate::core::{Resolution, Version};

/// How many rows are, or were, past their time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pruned {
    pub runs: u64,
    pub events: u64,
}

/// Times are microseconds UTC; `ended_before` is when a run's time was up.
#[async_trait]
pub(crate) trait RetentionStore: std::fmt::Debug + Send + Sync {
    /// Runs that ended before then, and their events.
    async fn count_old(&self, ended_before: i64) -> Result<Pruned, RunStoreError>;

    /// Removes the oldest events, `rows` at most, of the first such run that has any, in the order of ids after `after`.
    /// Answers which run it was and how many events went; None when no run is left.
    async fn prune_events(
        &self,
        ended_before: i64,
        after: Option<&RunId>,
        rows: u32,
    ) -> Result<Option<(RunId, u64)>, RunStoreError>;

    /// Removes such runs, `runs` at most, whose events are gone, with everything that was written of them but what they
    /// made. Answers how many.
    async fn prune_runs(&self, ended_before: i64, runs: u32) -> Result<u64, RunStoreError>;

    /// Removes materializations, `rows` at most, whose run is gone and that are not current. Answers how many.
    async fn prune_materializations(&self, rows: u32) -> Result<u64, RunStoreError>;

    /// Versions of the lake that something here refers to: every materialization that is kept; and of every run that did
    /// not succeed, whether it still runs or may be retried, what its steps read, made, or are to make.
    async fn referenced(&self) -> Result<HashSet<VersionId>, RunStoreError>;
}

const ENDED: &str = "status IN ('SUCCESS', 'FAILURE', 'CANCELED')";

fn named(version: Version) -> VersionId {
    VersionId {
        dataset: version.dataset,
        batch: version.batch,
        key: version.key,
    }
}

/// Of one step, as it is stored.
struct StepColumns {
    batch: String,
    datasets: String,
    outputs: String,
    resolution: Option<String>,
}

impl StepColumns {
    fn versions(self) -> Result<Vec<VersionId>, RunStoreError> {
        let outputs: Vec<Version> = json("outputs", &self.outputs)?;
        let mut found: Vec<VersionId> = outputs.into_iter().map(named).collect();
        if let Some(resolution) = json_option::<Resolution>("resolution", self.resolution)? {
            found.extend(resolution.inputs.into_iter().map(named));
            let batch: BatchId = id("batch id", &self.batch)?;
            let datasets: Vec<DatasetName> = json("datasets", &self.datasets)?;
            found.extend(datasets.into_iter().map(|dataset| VersionId {
                dataset,
                batch: batch.clone(),
                key: resolution.key.clone(),
            }));
        }
        Ok(found)
    }
}

kycc_store::for_each_driver! {
    #[async_trait]
    impl RetentionStore for driver::Store {
        async fn count_old(&self, ended_before: i64) -> Result<Pruned, RunStoreError> {
            let of = |what: &str| sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM orchestrator_runs r {what} \
                WHERE {ENDED} AND ended_at < $1"));
            let runs: i64 = sqlx::query_scalar(of(""))
                .bind(ended_before)
                .fetch_one(self.read())
                .await
                .map_err(RunStoreError::sql("count old runs"))?;
            let events: i64 = sqlx::query_scalar(of("JOIN orchestrator_events e ON e.run_id = r.run_id"))
                .bind(ended_before)
                .fetch_one(self.read())
                .await
                .map_err(RunStoreError::sql("count old events"))?;
            Ok(Pruned { runs: count("runs", runs)?, events: count("events", events)? })
        }

        async fn prune_events(&self, ended_before: i64, after: Option<&RunId>, rows: u32) -> Result<Option<(RunId, u64)>, RunStoreError> {
            let failed = || RunStoreError::sql("remove old events");
            let mut tx = self.begin().await.map_err(RunStoreError::store("remove old events"))?;
            let first: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT run_id FROM orchestrator_runs r \
                WHERE {ENDED} AND ended_at < $1 AND run_id > $2 \
                    AND EXISTS (SELECT 1 FROM orchestrator_events e WHERE e.run_id = r.run_id) \
                ORDER BY run_id LIMIT 1")))
                .bind(ended_before)
                .bind(after.map_or("", |run| run.as_str()))
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed())?;
            let Some(run) = first else { return Ok(None) };
            let gone = sqlx::query("DELETE FROM orchestrator_events WHERE run_id = $1 AND sequence < \
                (SELECT MIN(sequence) FROM orchestrator_events WHERE run_id = $1) + $2")
                .bind(&run)
                .bind(i64::from(rows))
                .execute(&mut *tx)
                .await
                .map_err(failed())?;
            tx.commit().await.map_err(RunStoreError::store("remove old events"))?;
            Ok(Some((id("run id", &run)?, gone.rows_affected())))
        }

        async fn prune_runs(&self, ended_before: i64, runs: u32) -> Result<u64, RunStoreError> {
            let failed = || RunStoreError::sql("remove old runs");
            let mut tx = self.begin().await.map_err(RunStoreError::store("remove old runs"))?;
            let old: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT run_id FROM orchestrator_runs r \
                WHERE {ENDED} AND ended_at < $1 \
                    AND NOT EXISTS (SELECT 1 FROM orchestrator_events e WHERE e.run_id = r.run_id) \
                ORDER BY ended_at, run_id LIMIT $2")))
                .bind(ended_before)
                .bind(i64::from(runs))
                .fetch_all(&mut *tx)
                .await
                .map_err(failed())?;
            for run in &old {
                // The run last: as long as it is there, so is the reason for the rest.
                for statement in [
                    "DELETE FROM orchestrator_attempts WHERE task_id IN \
                        (SELECT task_id FROM orchestrator_tasks WHERE run_id = $1)",
                    "DELETE FROM orchestrator_tasks WHERE run_id = $1",
                    "DELETE FROM orchestrator_steps WHERE run_id = $1",
                    "DELETE FROM orchestrator_dead_letters WHERE run_id = $1",
                    "DELETE FROM orchestrator_requests WHERE run_id = $1",
                    "DELETE FROM orchestrator_runs WHERE run_id = $1",
                ] {
                    sqlx::query(statement).bind(run).execute(&mut *tx).await.map_err(failed())?;
                }
            }
            tx.commit().await.map_err(RunStoreError::store("remove old runs"))?;
            Ok(old.len() as u64)
        }

        async fn prune_materializations(&self, rows: u32) -> Result<u64, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("remove old materializations"))?;
            let gone = sqlx::query("DELETE FROM orchestrator_materializations WHERE materialization_id IN \
                (SELECT m.materialization_id FROM orchestrator_materializations m \
                WHERE NOT EXISTS (SELECT 1 FROM orchestrator_runs r WHERE r.run_id = m.run_id) \
                    AND NOT EXISTS (SELECT 1 FROM orchestrator_current c WHERE c.materialization_id = m.materialization_id) \
                ORDER BY m.materialization_id LIMIT $1)")
                .bind(i64::from(rows))
                .execute(&mut *tx)
                .await
                .map_err(RunStoreError::sql("remove old materializations"))?;
            // The last publication of all is of a current one, and stays: positions never begin anew.
            sqlx::query("DELETE FROM orchestrator_publications WHERE NOT EXISTS (SELECT 1 FROM orchestrator_materializations m \
                WHERE m.materialization_id = orchestrator_publications.materialization_id)")
                .execute(&mut *tx)
                .await
                .map_err(RunStoreError::sql("remove old publications"))?;
            tx.commit().await.map_err(RunStoreError::store("remove old materializations"))?;
            Ok(gone.rows_affected())
        }

        async fn referenced(&self) -> Result<HashSet<VersionId>, RunStoreError> {
            let failed = || RunStoreError::sql("read what is referenced");
            let mut found = HashSet::new();
            // What is made or moved between the two reads is younger than any collector's grace, or stands in both.
            let mut steps = sqlx::query("SELECT r.batch_id, s.datasets, s.outputs, s.resolution FROM orchestrator_steps s \
                JOIN orchestrator_runs r ON r.run_id = s.run_id WHERE r.status <> 'SUCCESS'")
                .fetch(self.read());
            while let Some(row) = steps.try_next().await.map_err(failed())? {
                let step = StepColumns {
                    batch: row.try_get(0).map_err(failed())?,
                    datasets: row.try_get(1).map_err(failed())?,
                    outputs: row.try_get(2).map_err(failed())?,
                    resolution: row.try_get(3).map_err(failed())?,
                };
                found.extend(step.versions()?);
            }
            drop(steps);
            let mut made = sqlx::query("SELECT outputs FROM orchestrator_materializations").fetch(self.read());
            while let Some(row) = made.try_next().await.map_err(failed())? {
                let outputs: String = row.try_get(0).map_err(failed())?;
                let outputs: Vec<Version> = json("outputs", &outputs)?;
                found.extend(outputs.into_iter().map(named));
            }
            Ok(found)
        }
    }
}
