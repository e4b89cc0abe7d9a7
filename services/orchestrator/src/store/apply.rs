//! Writes what a turn changes, for every database: one statement per table, whatever the number of runs and steps. Every
//! method belongs to a transaction of the caller, which has passed the fence.

use std::collections::{BTreeMap, BTreeSet};

use kycc_audit::{AppendAudit as _, Deed};
use kycc_domain::ids::{AssetKey, BatchId, RunId};

use sqlx::Row as _;

use super::dead_letters::WriteDeadLetters as _;
use super::leader::Positions;
use super::publications::{NewPublication, WritePublications as _};
use super::rows::{bigint, to_json, to_json_option};
use super::types::{Applied, AttemptEnd, Change, Logged, Move, NewMaterialization};
use super::values::{chunks, statement};
use super::write::WriteRuns as _;
use super::{RunStoreError, SERVICE};
use crate::core::{RunStatus, StepState, StepStatus, TaskState, TaskStatus};

/// Implemented by the connection of every database.
pub(super) trait ApplyChanges {
    async fn apply_turn(
        &mut self,
        changes: &[Change],
        positions: &mut Positions,
    ) -> Result<Applied, RunStoreError>;
    /// The number of the last event of each change's run.
    async fn move_runs(&mut self, changes: &[Change]) -> Result<Vec<u64>, RunStoreError>;
    async fn move_steps(&mut self, steps: &[MovedStep<'_>]) -> Result<(), RunStoreError>;
    async fn insert_tasks(&mut self, tasks: &[NewTask<'_>]) -> Result<(), RunStoreError>;
    async fn move_tasks(&mut self, tasks: &[MovedTask<'_>]) -> Result<(), RunStoreError>;
    async fn insert_attempts(&mut self, tasks: &[(&TaskState, i64)]) -> Result<(), RunStoreError>;
    async fn end_attempts(&mut self, ends: &[&AttemptEnd]) -> Result<(), RunStoreError>;
    /// The position of the last publication.
    async fn materialize(&mut self, made: &[Made<'_>]) -> Result<Option<u64>, RunStoreError>;
    async fn reuse(&mut self, reused: &Reused<'_>) -> Result<Option<u64>, RunStoreError>;
}

pub(super) struct MovedStep<'a> {
    run: &'a RunId,
    position: usize,
    step: &'a StepState,
    at: i64,
}

pub(super) struct NewTask<'a> {
    run: &'a RunId,
    position: usize,
    task: &'a TaskState,
}

pub(super) struct MovedTask<'a> {
    run: &'a RunId,
    before: &'a TaskState,
    after: &'a TaskState,
}

pub(super) struct Made<'a> {
    change: &'a Change,
    new: &'a NewMaterialization,
}

/// An earlier materialization that is the current one again.
pub(super) struct Reused<'a> {
    batch: &'a BatchId,
    asset: &'a AssetKey,
    key: &'a str,
    at: i64,
}

/// The rows of a turn, table by table.
#[derive(Default)]
struct Rows<'a> {
    steps: Vec<MovedStep<'a>>,
    new_tasks: Vec<NewTask<'a>>,
    moved_tasks: Vec<MovedTask<'a>>,
    attempts: Vec<(&'a TaskState, i64)>,
    ended: Vec<&'a AttemptEnd>,
    made: Vec<Made<'a>>,
    reused: Vec<Reused<'a>>,
}

impl<'a> Rows<'a> {
    fn of(changes: &'a [Change]) -> Self {
        let mut rows = Self::default();
        let mut ended = BTreeSet::new();
        for change in changes {
            if let Some(moved) = &change.moved {
                rows.moved(change, moved);
            }
            // Of an end that is told twice the first counts.
            let first = |end: &&AttemptEnd| ended.insert((end.task.clone(), end.attempt));
            rows.ended
                .extend(change.attempts_ended.iter().filter(first));
            let made = change.materialized.iter().map(|new| Made { change, new });
            rows.made.extend(made);
            let reused = change.reused.iter();
            rows.reused.extend(reused.map(|(asset, key)| Reused {
                batch: &change.batch,
                asset,
                key,
                at: change.at,
            }));
        }
        rows
    }

    fn moved(&mut self, change: &'a Change, moved: &'a Move) {
        let (run, at) = (&change.run_id, change.at);
        let steps = moved.before.steps.iter().zip(&moved.after.steps);
        for (position, (old, step)) in steps.enumerate() {
            if old == step {
                continue;
            }
            self.steps.push(MovedStep {
                run,
                position,
                step,
                at,
            });
            for task in &step.tasks {
                match old.tasks.iter().find(|t| t.id == task.id) {
                    None => {
                        self.new_tasks.push(NewTask {
                            run,
                            position,
                            task,
                        });
                        self.attempts.push((task, at));
                    }
                    Some(same) if same == task => {}
                    Some(before) => {
                        self.moved_tasks.push(MovedTask {
                            run,
                            before,
                            after: task,
                        });
                        if task.status == TaskStatus::Dispatched {
                            self.attempts.push((task, at));
                        }
                    }
                }
            }
        }
    }
}

/// Slots are granted at STARTING: that is when a run starts.
fn run_starts(moved: &Move) -> bool {
    moved.before.status == RunStatus::Queued && moved.after.status.holds_slot()
}

fn step_begins(step: &StepState) -> bool {
    matches!(step.status, StepStatus::Resolving | StepStatus::Running)
}

fn stale(run_id: &RunId) -> RunStoreError {
    RunStoreError::Stale {
        run_id: run_id.to_string(),
    }
}

kycc_store::for_each_driver! {
    impl ApplyChanges for driver::Connection {
        async fn apply_turn(&mut self, changes: &[Change], positions: &mut Positions) -> Result<Applied, RunStoreError> {
            let mut sequences = Vec::with_capacity(changes.len());
            for changes in chunks(changes) {
                sequences.extend(self.move_runs(changes).await?);
            }
            let rows = Rows::of(changes);
            for steps in chunks(&rows.steps) {
                self.move_steps(steps).await?;
            }
            for tasks in chunks(&rows.moved_tasks) {
                self.move_tasks(tasks).await?;
            }
            for tasks in chunks(&rows.new_tasks) {
                self.insert_tasks(tasks).await?;
            }
            for tasks in chunks(&rows.attempts) {
                self.insert_attempts(tasks).await?;
            }
            for ends in chunks(&rows.ended) {
                self.end_attempts(ends).await?;
            }
            let mut published = None;
            for made in chunks(&rows.made) {
                published = published.max(self.materialize(made).await?);
            }
            for letter in changes.iter().flat_map(|change| &change.dead_letters) {
                self.insert_dead_letter(letter).await?;
            }
            let deeds: Vec<Deed> = changes.iter().flat_map(|change| change.audit.iter().cloned()).collect();
            self.append_audit(SERVICE, &deeds).await.map_err(RunStoreError::store("append to the audit log"))?;
            for reused in &rows.reused {
                published = published.max(self.reuse(reused).await?);
            }
            // The numbers were given out in this transaction: no gaps, no doubles.
            let events = changes.iter().zip(&sequences).flat_map(|(change, last)| {
                let first = bigint(*last) - bigint(change.log.len() as u64) + 1;
                (first..).zip(&change.log).map(|(sequence, logged)| (&change.run_id, sequence, logged.clone()))
            });
            let events: Vec<(&RunId, i64, Logged)> = events.collect();
            self.insert_events(&events, positions).await?;
            Ok(Applied { last_events: sequences, published })
        }

        async fn move_runs(&mut self, changes: &[Change]) -> Result<Vec<u64>, RunStoreError> {
            let mut query = sqlx::query_as(statement("UPDATE orchestrator_runs SET \
                    status = COALESCE(v.column3, status), \
                    failure = CASE WHEN v.column3 IS NULL THEN failure ELSE v.column4 END, \
                    timed_out = COALESCE(v.column5, timed_out), \
                    started_at = COALESCE(started_at, v.column6), \
                    ended_at = COALESCE(ended_at, v.column7), \
                    last_sequence = last_sequence + v.column8 \
                FROM (VALUES {}) AS v \
                WHERE run_id = v.column1 AND (v.column2 IS NULL OR status = v.column2) \
                RETURNING run_id, last_sequence", changes.len(), 8));
            for change in changes {
                let moved = change.moved.as_ref();
                query = query
                    .bind(change.run_id.as_str())
                    .bind(moved.map(|m| m.before.status.as_str()))
                    .bind(moved.map(|m| m.after.status.as_str()))
                    .bind(moved.and_then(|m| to_json_option(m.after.failure.as_ref())))
                    .bind(moved.map(|m| i64::from(m.after.timed_out)))
                    .bind(moved.is_some_and(run_starts).then_some(change.at))
                    .bind(moved.is_some_and(|m| m.after.status.is_terminal()).then_some(change.at))
                    .bind(bigint(change.log.len() as u64));
            }
            let rows: Vec<(String, i64)> = query.fetch_all(&mut *self).await.map_err(RunStoreError::sql("move runs"))?;
            let last: BTreeMap<String, i64> = rows.into_iter().collect();
            let sequence = |change: &Change| last.get(change.run_id.as_str()).map(|n| u64::try_from(*n).unwrap_or(0));
            changes.iter().map(|change| sequence(change).ok_or_else(|| stale(&change.run_id))).collect()
        }

        async fn move_steps(&mut self, steps: &[MovedStep<'_>]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query(statement("UPDATE orchestrator_steps SET status = v.column3, memoized = v.column4, \
                    resolution = v.column5, outputs = v.column6, metadata = v.column7, failure = v.column8, \
                    started_at = COALESCE(started_at, v.column9), ended_at = COALESCE(ended_at, v.column10) \
                FROM (VALUES {}) AS v WHERE run_id = v.column1 AND position = v.column2", steps.len(), 10));
            for MovedStep { run, position, step, at } in steps {
                query = query
                    .bind(run.as_str())
                    .bind(bigint(*position as u64))
                    .bind(step.status.as_str())
                    .bind(i64::from(step.memoized))
                    .bind(to_json_option(step.resolution.as_ref()))
                    .bind(to_json(&step.outputs))
                    .bind(to_json(&step.metadata))
                    .bind(to_json_option(step.failure.as_ref()))
                    .bind(step_begins(step).then_some(*at))
                    .bind(step.status.is_terminal().then_some(*at));
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("move steps"))?;
            Ok(())
        }

        async fn insert_tasks(&mut self, tasks: &[NewTask<'_>]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_tasks (task_id, run_id, position, shard, status, \
                attempt, outputs, metadata, failures, losses, hand_backs) VALUES {}", tasks.len(), 11));
            for NewTask { run, position, task } in tasks {
                query = query
                    .bind(task.id.as_str())
                    .bind(run.as_str())
                    .bind(bigint(*position as u64))
                    .bind(i64::from(task.shard))
                    .bind(task.status.as_str())
                    .bind(i64::from(task.attempt))
                    .bind(to_json(&task.outputs))
                    .bind(to_json(&task.metadata))
                    .bind(i64::from(task.failures))
                    .bind(i64::from(task.losses))
                    .bind(i64::from(task.hand_backs));
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("write tasks"))?;
            Ok(())
        }

        /// Only the attempt that the change started from is moved.
        async fn move_tasks(&mut self, tasks: &[MovedTask<'_>]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query_scalar(statement("UPDATE orchestrator_tasks SET status = v.column4, \
                    attempt = v.column5, outputs = v.column6, metadata = v.column7, failures = v.column8, \
                    losses = v.column9, hand_backs = v.column10 \
                FROM (VALUES {}) AS v WHERE task_id = v.column1 AND attempt = v.column2 AND status = v.column3 \
                RETURNING task_id", tasks.len(), 10));
            for MovedTask { before, after, .. } in tasks {
                query = query
                    .bind(after.id.as_str())
                    .bind(i64::from(before.attempt))
                    .bind(before.status.as_str())
                    .bind(after.status.as_str())
                    .bind(i64::from(after.attempt))
                    .bind(to_json(&after.outputs))
                    .bind(to_json(&after.metadata))
                    .bind(i64::from(after.failures))
                    .bind(i64::from(after.losses))
                    .bind(i64::from(after.hand_backs));
            }
            let moved: Vec<String> = query.fetch_all(&mut *self).await.map_err(RunStoreError::sql("move tasks"))?;
            let moved: BTreeSet<String> = moved.into_iter().collect();
            match tasks.iter().find(|task| !moved.contains(task.after.id.as_str())) {
                Some(unmoved) => Err(stale(unmoved.run)),
                None => Ok(()),
            }
        }

        async fn insert_attempts(&mut self, tasks: &[(&TaskState, i64)]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_attempts (task_id, attempt, dispatched_at) \
                VALUES {} ON CONFLICT (task_id, attempt) DO NOTHING", tasks.len(), 3));
            for (task, at) in tasks {
                query = query.bind(task.id.as_str()).bind(i64::from(task.attempt)).bind(*at);
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("write attempts"))?;
            Ok(())
        }

        async fn end_attempts(&mut self, ends: &[&AttemptEnd]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query(statement("UPDATE orchestrator_attempts SET worker_id = v.column3, \
                    started_at = v.column4, ended_at = v.column5, outcome = v.column6 \
                FROM (VALUES {}) AS v WHERE task_id = v.column1 AND attempt = v.column2 AND ended_at IS NULL",
                ends.len(), 6));
            for end in ends {
                query = query
                    .bind(end.task.as_str())
                    .bind(i64::from(end.attempt))
                    .bind(&end.worker)
                    .bind(end.started_at)
                    .bind(end.ended_at)
                    .bind(&end.outcome);
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("end attempts"))?;
            Ok(())
        }

        async fn materialize(&mut self, made: &[Made<'_>]) -> Result<Option<u64>, RunStoreError> {
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_materializations (materialization_id, asset, \
                batch_id, version_key, run_id, created_at, outputs, metadata, inputs) VALUES {}", made.len(), 9));
            let mut current = BTreeMap::new();
            for Made { change, new } in made {
                query = query
                    .bind(&new.id)
                    .bind(new.asset.as_str())
                    .bind(change.batch.as_str())
                    .bind(&new.key)
                    .bind(change.run_id.as_str())
                    .bind(change.at)
                    .bind(to_json(&new.outputs))
                    .bind(to_json(&new.metadata))
                    .bind(to_json(&new.inputs));
                // One row of a statement may strike a place once only: the last stands.
                current.insert((new.asset.as_str(), change.batch.as_str()), (&new.id, change.at));
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("write materializations"))?;
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_current (asset, batch_id, materialization_id) \
                VALUES {} ON CONFLICT (asset, batch_id) DO UPDATE SET materialization_id = excluded.materialization_id",
                current.len(), 3));
            for ((asset, batch), (id, _)) in &current {
                query = query.bind(*asset).bind(*batch).bind(*id);
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("make materializations current"))?;
            let current = current.into_iter().map(|((asset, batch), (id, at))| NewPublication { asset, batch, id, at });
            self.publish(&current.collect::<Vec<_>>()).await
        }

        /// Makes the newest materialization of the key the current one. Where it is already, nothing is published.
        async fn reuse(&mut self, reused: &Reused<'_>) -> Result<Option<u64>, RunStoreError> {
            let Reused { batch, asset, key, at } = reused;
            let failed = || RunStoreError::sql("look an earlier materialization up");
            let known = sqlx::query("SELECT m.materialization_id, (SELECT COUNT(*) FROM orchestrator_current c \
                    WHERE c.asset = m.asset AND c.batch_id = m.batch_id \
                        AND c.materialization_id = m.materialization_id) AS is_current \
                FROM orchestrator_materializations m WHERE m.asset = $1 AND m.batch_id = $2 AND m.version_key = $3 \
                ORDER BY m.materialization_id DESC LIMIT 1")
                .bind(asset.as_str())
                .bind(batch.as_str())
                .bind(*key)
                .fetch_optional(&mut *self)
                .await
                .map_err(failed())?;
            let Some(row) = known else {
                return Ok(None);
            };
            let id: String = row.try_get("materialization_id").map_err(failed())?;
            let is_current: i64 = row.try_get("is_current").map_err(failed())?;
            if is_current > 0 {
                return Ok(None);
            }
            sqlx::query("INSERT INTO orchestrator_current (asset, batch_id, materialization_id) VALUES ($1, $2, $3) \
                ON CONFLICT (asset, batch_id) DO UPDATE SET materialization_id = excluded.materialization_id")
                .bind(asset.as_str())
                .bind(batch.as_str())
                .bind(&id)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("make a materialization current"))?;
            self.publish(&[NewPublication { asset: asset.as_str(), batch: batch.as_str(), id: &id, at: *at }]).await
        }
    }
}
