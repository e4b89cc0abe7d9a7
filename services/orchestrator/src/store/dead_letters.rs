//! Dead letters: written in the transaction that fails their step, marked in the one that creates the run which does
//! them again. So no letter is without its failed run, and none is replayed twice.

use async_trait::async_trait;
use kycc_domain::ids::{AssetKey, RunId, TaskId};
use sqlx::Row as _;

use super::RunStoreError;
use super::rows::{count, id};
use super::types::RunFacts;

/// A task that cost as many workers as it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeadLetter {
    /// Ordered by time.
    pub id: String,
    pub task: TaskId,
    pub run_id: RunId,
    pub asset: AssetKey,
    pub lane: String,
    pub deliveries: u32,
    pub last_error: String,
    /// Empty where the queue did not know.
    pub worker: String,
    /// The encoded `kycc.work.v1.Task`, as the last worker was given it.
    pub message: Vec<u8>,
    pub created_at: i64,
    pub replay: Option<Replay>,
}

/// Who did it again, in which run, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replay {
    pub run_id: RunId,
    pub by: String,
    pub at: i64,
}

/// Empty filters match all.
#[derive(Debug, Clone, Default)]
pub(crate) struct LetterFilter {
    pub run_id: String,
    pub only_open: bool,
}

/// Reads; letters are written by the store of the runs that they belong to.
#[async_trait]
pub(crate) trait DeadLetterStore: std::fmt::Debug + Send + Sync {
    async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, RunStoreError>;

    /// Newest first, after `before` in that order.
    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, RunStoreError>;
}

/// Implemented by the connection of every database; belongs to a transaction of the caller.
pub(super) trait WriteDeadLetters {
    async fn insert_dead_letter(&mut self, letter: &DeadLetter) -> Result<(), RunStoreError>;

    /// Marks a letter as replayed by this run, or tells which run did so before.
    async fn mark_replayed(
        &mut self,
        letter: &str,
        by: &RunFacts,
    ) -> Result<Option<RunId>, RunStoreError>;
}

/// Implemented by the row of every database.
trait FromLetter {
    fn dead_letter(&self) -> Result<DeadLetter, RunStoreError>;
}

kycc_store::for_each_driver! {
    impl FromLetter for driver::Row {
        fn dead_letter(&self) -> Result<DeadLetter, RunStoreError> {
            let failed = || RunStoreError::sql("read a dead letter");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            let text = |name: &str| -> Result<Option<String>, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            let replayed_at: Option<i64> = self.try_get("replayed_at").map_err(failed())?;
            let replay = match (text("replay_run_id")?, replayed_at) {
                (Some(run), Some(at)) => Some(Replay {
                    run_id: id("run id", &run)?,
                    by: text("replayed_by")?.unwrap_or_default(),
                    at,
                }),
                _ => None,
            };
            Ok(DeadLetter {
                id: get("dead_letter_id")?,
                task: id("task id", &get("task_id")?)?,
                run_id: id("run id", &get("run_id")?)?,
                asset: id("asset key", &get("asset")?)?,
                lane: get("lane")?,
                deliveries: count("deliveries", self.try_get("deliveries").map_err(failed())?)?,
                last_error: get("last_error")?,
                worker: get("worker_id")?,
                message: self.try_get("task").map_err(failed())?,
                created_at: self.try_get("created_at").map_err(failed())?,
                replay,
            })
        }
    }

    #[async_trait]
    impl DeadLetterStore for driver::Store {
        async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, RunStoreError> {
            let row = sqlx::query("SELECT * FROM orchestrator_dead_letters WHERE dead_letter_id = $1")
                .bind(id)
                .fetch_optional(self.read())
                .await
                .map_err(RunStoreError::sql("read a dead letter"))?;
            row.map(|row| row.dead_letter()).transpose()
        }

        async fn dead_letters(&self, filter: &LetterFilter, before: Option<&str>, limit: u32) -> Result<Vec<DeadLetter>, RunStoreError> {
            let rows = sqlx::query("SELECT * FROM orchestrator_dead_letters \
                WHERE ($1 = '' OR run_id = $1) AND ($2 = 0 OR replay_run_id IS NULL) AND ($3 = '' OR dead_letter_id < $3) \
                ORDER BY dead_letter_id DESC LIMIT $4")
                .bind(&filter.run_id)
                .bind(i64::from(filter.only_open))
                .bind(before.unwrap_or(""))
                .bind(i64::from(limit))
                .fetch_all(self.read())
                .await
                .map_err(RunStoreError::sql("list dead letters"))?;
            rows.iter().map(FromLetter::dead_letter).collect()
        }
    }

    impl WriteDeadLetters for driver::Connection {
        async fn insert_dead_letter(&mut self, letter: &DeadLetter) -> Result<(), RunStoreError> {
            sqlx::query("INSERT INTO orchestrator_dead_letters (dead_letter_id, task_id, run_id, asset, lane, deliveries, \
                    last_error, worker_id, task, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                .bind(&letter.id)
                .bind(letter.task.as_str())
                .bind(letter.run_id.as_str())
                .bind(letter.asset.as_str())
                .bind(&letter.lane)
                .bind(i64::from(letter.deliveries))
                .bind(&letter.last_error)
                .bind(&letter.worker)
                .bind(&letter.message)
                .bind(letter.created_at)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write a dead letter"))?;
            Ok(())
        }

        async fn mark_replayed(&mut self, letter: &str, by: &RunFacts) -> Result<Option<RunId>, RunStoreError> {
            let done = sqlx::query("UPDATE orchestrator_dead_letters SET replay_run_id = $1, replayed_by = $2, replayed_at = $3 \
                WHERE dead_letter_id = $4 AND replay_run_id IS NULL")
                .bind(by.run_id.as_str())
                .bind(&by.principal)
                .bind(by.created_at)
                .bind(letter)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("mark a dead letter"))?;
            if done.rows_affected() == 1 {
                return Ok(None);
            }
            let before: Option<String> = sqlx::query_scalar("SELECT replay_run_id FROM orchestrator_dead_letters \
                WHERE dead_letter_id = $1")
                .bind(letter)
                .fetch_optional(&mut *self)
                .await
                .map_err(RunStoreError::sql("read a dead letter"))?
                .flatten();
            // Removed with its run since it was read.
            let before = before.ok_or_else(|| RunStoreError::Stale { run_id: by.run_id.to_string() })?;
            Ok(Some(id("run id", &before)?))
        }
    }
}
