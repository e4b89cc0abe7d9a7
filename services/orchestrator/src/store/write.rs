//! Writes runs and their changes, for every database. Every method belongs to a transaction of the caller.

use kycc_domain::ids::{BatchId, RunId};

use super::RunStoreError;
use super::dead_letters::WriteDeadLetters;
use super::rows::{bigint, to_json, to_json_option};
use super::types::{AttemptEnd, Change, Logged, Move, NewMaterialization, NewRun};
use crate::core::{RunState, RunStatus, StepState, StepStatus, TaskState, TaskStatus};

/// Implemented by the connection of every database.
pub(super) trait WriteRuns {
    async fn insert_run(&mut self, new: &NewRun) -> Result<(), RunStoreError>;
    async fn insert_step(
        &mut self,
        run: &RunId,
        position: usize,
        step: &StepState,
        at: i64,
    ) -> Result<(), RunStoreError>;
    /// The number of the run's last event.
    async fn change(&mut self, change: &Change) -> Result<u64, RunStoreError>;
    async fn move_run(&mut self, at: i64, moved: &Move) -> Result<(), RunStoreError>;
    async fn update_step(
        &mut self,
        run: &RunId,
        position: usize,
        step: &StepState,
        at: i64,
    ) -> Result<(), RunStoreError>;
    async fn insert_task(
        &mut self,
        run: &RunId,
        position: usize,
        task: &TaskState,
        at: i64,
    ) -> Result<(), RunStoreError>;
    async fn update_task(
        &mut self,
        run: &RunId,
        before: &TaskState,
        after: &TaskState,
        at: i64,
    ) -> Result<(), RunStoreError>;
    async fn insert_attempt(&mut self, task: &TaskState, at: i64) -> Result<(), RunStoreError>;
    async fn end_attempt(&mut self, end: &AttemptEnd) -> Result<(), RunStoreError>;
    async fn append(&mut self, run: &RunId, log: &[Logged]) -> Result<u64, RunStoreError>;
    async fn materialize(
        &mut self,
        change: &Change,
        new: &NewMaterialization,
    ) -> Result<(), RunStoreError>;
    async fn reuse(&mut self, batch: &BatchId, asset: &str, key: &str)
    -> Result<(), RunStoreError>;
}

/// Slots are granted at STARTING: that is when a run starts.
fn run_starts(moved: &Move) -> bool {
    moved.before.status == RunStatus::Queued && moved.after.status.holds_slot()
}

fn step_begins(step: &StepState) -> bool {
    matches!(step.status, StepStatus::Resolving | StepStatus::Running)
}

kycc_store::for_each_driver! {
    impl WriteRuns for driver::Connection {
        async fn insert_run(&mut self, new: &NewRun) -> Result<(), RunStoreError> {
            let (facts, state) = (&new.facts, &new.state);
            sqlx::query("INSERT INTO orchestrator_definitions (hash, document) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
                .bind(&facts.definitions_hash)
                .bind(&new.definitions)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("keep the definitions of a run"))?;
            sqlx::query("INSERT INTO orchestrator_runs (run_id, job, batch_id, status, priority, principal, \
                    definitions_hash, parent_run_id, config, tags, inputs, traceparent, failure, timed_out, created_at, \
                    last_sequence) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)")
                .bind(facts.run_id.as_str())
                .bind(&facts.job)
                .bind(facts.batch.as_str())
                .bind(state.status.as_str())
                .bind(i64::from(facts.priority))
                .bind(&facts.principal)
                .bind(&facts.definitions_hash)
                .bind(facts.parent.as_ref().map(|p| p.as_str()))
                .bind(to_json(&facts.config))
                .bind(to_json(&facts.tags))
                .bind(to_json(&facts.inputs))
                .bind(&facts.traceparent)
                .bind(to_json_option(state.failure.as_ref()))
                .bind(i64::from(state.timed_out))
                .bind(facts.created_at)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write a run"))?;
            for (position, step) in state.steps.iter().enumerate() {
                self.insert_step(&facts.run_id, position, step, facts.created_at).await?;
            }
            let log: Vec<Logged> = new.log.iter()
                .map(|entry| Logged { at: facts.created_at, entry: entry.clone() })
                .collect();
            self.append(&facts.run_id, &log).await?;
            Ok(())
        }

        async fn insert_step(&mut self, run: &RunId, position: usize, step: &StepState, at: i64) -> Result<(), RunStoreError> {
            let ended = step.status.is_terminal().then_some(at);
            sqlx::query("INSERT INTO orchestrator_steps (run_id, position, asset, upstream, datasets, max_attempts, status, \
                    memoized, resolution, outputs, metadata, failure, started_at, ended_at, max_deliveries) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)")
                .bind(run.as_str())
                .bind(bigint(position as u64))
                .bind(step.asset.as_str())
                .bind(to_json(&step.upstream))
                .bind(to_json(&step.datasets))
                .bind(i64::from(step.max_attempts))
                .bind(step.status.as_str())
                .bind(i64::from(step.memoized))
                .bind(to_json_option(step.resolution.as_ref()))
                .bind(to_json(&step.outputs))
                .bind(to_json(&step.metadata))
                .bind(to_json_option(step.failure.as_ref()))
                .bind(ended)
                .bind(ended)
                .bind(i64::from(step.max_deliveries))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write a step"))?;
            Ok(())
        }

        async fn change(&mut self, change: &Change) -> Result<u64, RunStoreError> {
            if let Some(moved) = &change.moved {
                self.move_run(change.at, moved).await?;
                let (before, after): (&RunState, &RunState) = (&moved.before, &moved.after);
                for (position, (old, new)) in before.steps.iter().zip(&after.steps).enumerate() {
                    if old == new {
                        continue;
                    }
                    self.update_step(&change.run_id, position, new, change.at).await?;
                    for task in &new.tasks {
                        match old.tasks.iter().find(|t| t.id == task.id) {
                            None => self.insert_task(&change.run_id, position, task, change.at).await?,
                            Some(same) if same == task => {}
                            Some(other) => self.update_task(&change.run_id, other, task, change.at).await?,
                        }
                    }
                }
            }
            for end in &change.attempts_ended {
                self.end_attempt(end).await?;
            }
            for letter in &change.dead_letters {
                self.insert_dead_letter(letter).await?;
            }
            for new in &change.materialized {
                self.materialize(change, new).await?;
            }
            for (asset, key) in &change.reused {
                self.reuse(&change.batch, asset.as_str(), key).await?;
            }
            self.append(&change.run_id, &change.log).await
        }

        async fn move_run(&mut self, at: i64, moved: &Move) -> Result<(), RunStoreError> {
            let run_id = &moved.after.run_id;
            let ended = moved.after.status.is_terminal().then_some(at);
            let done = sqlx::query("UPDATE orchestrator_runs SET status = $1, failure = $2, timed_out = $3, \
                    started_at = COALESCE(started_at, $4), ended_at = COALESCE(ended_at, $5) \
                WHERE run_id = $6 AND status = $7")
                .bind(moved.after.status.as_str())
                .bind(to_json_option(moved.after.failure.as_ref()))
                .bind(i64::from(moved.after.timed_out))
                .bind(run_starts(moved).then_some(at))
                .bind(ended)
                .bind(run_id.as_str())
                .bind(moved.before.status.as_str())
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("move a run"))?;
            match done.rows_affected() {
                1 => Ok(()),
                _ => Err(RunStoreError::Stale { run_id: run_id.to_string() }),
            }
        }

        async fn update_step(&mut self, run: &RunId, position: usize, step: &StepState, at: i64) -> Result<(), RunStoreError> {
            let ended = step.status.is_terminal().then_some(at);
            sqlx::query("UPDATE orchestrator_steps SET status = $1, memoized = $2, resolution = $3, outputs = $4, \
                    metadata = $5, failure = $6, started_at = COALESCE(started_at, $7), ended_at = COALESCE(ended_at, $8) \
                WHERE run_id = $9 AND position = $10")
                .bind(step.status.as_str())
                .bind(i64::from(step.memoized))
                .bind(to_json_option(step.resolution.as_ref()))
                .bind(to_json(&step.outputs))
                .bind(to_json(&step.metadata))
                .bind(to_json_option(step.failure.as_ref()))
                .bind(step_begins(step).then_some(at))
                .bind(ended)
                .bind(run.as_str())
                .bind(bigint(position as u64))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("move a step"))?;
            Ok(())
        }

        async fn insert_task(&mut self, run: &RunId, position: usize, task: &TaskState, at: i64) -> Result<(), RunStoreError> {
            sqlx::query("INSERT INTO orchestrator_tasks (task_id, run_id, position, shard, status, attempt, outputs, metadata, \
                    failures, losses) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                .bind(task.id.as_str())
                .bind(run.as_str())
                .bind(bigint(position as u64))
                .bind(i64::from(task.shard))
                .bind(task.status.as_str())
                .bind(i64::from(task.attempt))
                .bind(to_json(&task.outputs))
                .bind(to_json(&task.metadata))
                .bind(i64::from(task.failures))
                .bind(i64::from(task.losses))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write a task"))?;
            self.insert_attempt(task, at).await
        }

        /// Only the attempt that the change started from is moved: of two leaders one is told that it is stale.
        async fn update_task(&mut self, run: &RunId, before: &TaskState, after: &TaskState, at: i64) -> Result<(), RunStoreError> {
            let done = sqlx::query("UPDATE orchestrator_tasks SET status = $1, attempt = $2, outputs = $3, metadata = $4, \
                    failures = $8, losses = $9 WHERE task_id = $5 AND attempt = $6 AND status = $7")
                .bind(after.status.as_str())
                .bind(i64::from(after.attempt))
                .bind(to_json(&after.outputs))
                .bind(to_json(&after.metadata))
                .bind(after.id.as_str())
                .bind(i64::from(before.attempt))
                .bind(before.status.as_str())
                .bind(i64::from(after.failures))
                .bind(i64::from(after.losses))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("move a task"))?;
            if done.rows_affected() != 1 {
                return Err(RunStoreError::Stale { run_id: run.to_string() });
            }
            if after.status == TaskStatus::Dispatched {
                self.insert_attempt(after, at).await?;
            }
            Ok(())
        }

        async fn insert_attempt(&mut self, task: &TaskState, at: i64) -> Result<(), RunStoreError> {
            sqlx::query("INSERT INTO orchestrator_attempts (task_id, attempt, dispatched_at) VALUES ($1, $2, $3) \
                ON CONFLICT (task_id, attempt) DO NOTHING")
                .bind(task.id.as_str())
                .bind(i64::from(task.attempt))
                .bind(at)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write an attempt"))?;
            Ok(())
        }

        async fn end_attempt(&mut self, end: &AttemptEnd) -> Result<(), RunStoreError> {
            sqlx::query("UPDATE orchestrator_attempts SET worker_id = $1, started_at = $2, ended_at = $3, outcome = $4 \
                WHERE task_id = $5 AND attempt = $6 AND ended_at IS NULL")
                .bind(&end.worker)
                .bind(end.started_at)
                .bind(end.ended_at)
                .bind(&end.outcome)
                .bind(end.task.as_str())
                .bind(i64::from(end.attempt))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("end an attempt"))?;
            Ok(())
        }

        /// The numbers are given out here, in the transaction that writes the events: no gaps, no doubles.
        async fn append(&mut self, run: &RunId, log: &[Logged]) -> Result<u64, RunStoreError> {
            let last: Option<i64> = sqlx::query_scalar("UPDATE orchestrator_runs SET last_sequence = last_sequence + $1 \
                WHERE run_id = $2 RETURNING last_sequence")
                .bind(bigint(log.len() as u64))
                .bind(run.as_str())
                .fetch_optional(&mut *self)
                .await
                .map_err(RunStoreError::sql("number events"))?;
            let last = last.ok_or_else(|| RunStoreError::Stale { run_id: run.to_string() })?;
            let first = last - bigint(log.len() as u64) + 1;
            for (sequence, Logged { at, entry }) in (first..).zip(log) {
                sqlx::query("INSERT INTO orchestrator_events (run_id, sequence, at, kind, asset, level, message, attempt, \
                        task_id, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
                    .bind(run.as_str())
                    .bind(sequence)
                    .bind(at)
                    .bind(entry.kind.as_str())
                    .bind(entry.asset.as_ref().map(|a| a.as_str()))
                    .bind(entry.level.as_str())
                    .bind(&entry.message)
                    .bind(i64::from(entry.attempt))
                    .bind(entry.task.as_ref().map(|t| t.as_str()))
                    .bind(to_json(&entry.details))
                    .execute(&mut *self)
                    .await
                    .map_err(RunStoreError::sql("write an event"))?;
            }
            Ok(last.try_into().unwrap_or(0))
        }

        async fn materialize(&mut self, change: &Change, new: &NewMaterialization) -> Result<(), RunStoreError> {
            sqlx::query("INSERT INTO orchestrator_materializations (materialization_id, asset, batch_id, version_key, \
                    run_id, created_at, outputs, metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(&new.id)
                .bind(new.asset.as_str())
                .bind(change.batch.as_str())
                .bind(&new.key)
                .bind(change.run_id.as_str())
                .bind(change.at)
                .bind(to_json(&new.outputs))
                .bind(to_json(&new.metadata))
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("write a materialization"))?;
            self.reuse(&change.batch, new.asset.as_str(), &new.key).await
        }

        /// Makes the newest materialization of the key the current one.
        async fn reuse(&mut self, batch: &BatchId, asset: &str, key: &str) -> Result<(), RunStoreError> {
            sqlx::query("INSERT INTO orchestrator_current (asset, batch_id, materialization_id) \
                SELECT asset, batch_id, materialization_id FROM orchestrator_materializations \
                WHERE asset = $1 AND batch_id = $2 AND version_key = $3 \
                ORDER BY materialization_id DESC LIMIT 1 \
                ON CONFLICT (asset, batch_id) DO UPDATE SET materialization_id = excluded.materialization_id")
                .bind(asset)
                .bind(batch.as_str())
                .bind(key)
                .execute(&mut *self)
                .await
                .map_err(RunStoreError::sql("make a materialization current"))?;
            Ok(())
        }
    }
}
