//! Reads runs, events and materializations, for every database.

use std::sync::Arc;

use kycc_domain::ids::RunId;
use sqlx::Row as _;

use super::RunStoreError;
use super::rows::{count, id, json, json_option, spelled};
use super::types::{FeedEvent, RunFacts, StoredEvent, StoredMaterialization, StoredRun, Times};
use crate::core::{
    EventKind, Level, RunState, RunStatus, StepState, StepStatus, TaskState, TaskStatus,
};

pub(super) const RUN_COLUMNS: &str = "run_id, job, batch_id, status, priority, principal, definitions_hash, \
    parent_run_id, config, tags, inputs, traceparent, failure, timed_out, created_at, started_at, ended_at, last_sequence";

/// Implemented by the row of every database.
pub(super) trait FromStored {
    /// Without its steps.
    fn run(&self) -> Result<StoredRun, RunStoreError>;
    fn step(&self) -> Result<(StepState, Times), RunStoreError>;
    /// With the position of its step.
    fn task(&self) -> Result<(usize, TaskState), RunStoreError>;
    fn event(&self) -> Result<StoredEvent, RunStoreError>;
    /// With what the feed says of its run.
    fn feed_event(&self) -> Result<FeedEvent, RunStoreError>;
    fn materialization(&self) -> Result<StoredMaterialization, RunStoreError>;
}

/// Implemented by the pool of every database.
pub(super) trait ReadRuns {
    /// Adds its steps and tasks to a run.
    async fn complete(&self, run: StoredRun) -> Result<StoredRun, RunStoreError>;
}

kycc_store::for_each_driver! {
    impl FromStored for driver::Row {
        fn run(&self) -> Result<StoredRun, RunStoreError> {
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(RunStoreError::sql("read a run"))
            };
            let number = |name: &str| -> Result<i64, RunStoreError> {
                self.try_get(name).map_err(RunStoreError::sql("read a run"))
            };
            let optional = |name: &str| -> Result<Option<i64>, RunStoreError> {
                self.try_get(name).map_err(RunStoreError::sql("read a run"))
            };
            let text = |name: &str| -> Result<Option<String>, RunStoreError> {
                self.try_get(name).map_err(RunStoreError::sql("read a run"))
            };
            let run_id: RunId = id("run id", &get("run_id")?)?;
            let facts = RunFacts {
                run_id: run_id.clone(),
                job: get("job")?,
                batch: id("batch id", &get("batch_id")?)?,
                config: json("run config", &get("config")?)?,
                tags: json("run tags", &get("tags")?)?,
                inputs: json("run inputs", &get("inputs")?)?,
                principal: get("principal")?,
                definitions_hash: get("definitions_hash")?,
                parent: text("parent_run_id")?.map(|p| id("run id", &p)).transpose()?,
                traceparent: get("traceparent")?,
                priority: count("priority", number("priority")?)?,
                created_at: number("created_at")?,
            };
            Ok(StoredRun {
                facts: Arc::new(facts),
                state: RunState {
                    run_id,
                    status: spelled("run status", &get("status")?, RunStatus::parse)?,
                    steps: Vec::new(),
                    failure: json_option("failure", text("failure")?)?,
                    timed_out: number("timed_out")? != 0,
                },
                times: Times { started_at: optional("started_at")?, ended_at: optional("ended_at")? },
                step_times: Vec::new(),
                last_sequence: count("last sequence", number("last_sequence")?)?,
            })
        }

        fn step(&self) -> Result<(StepState, Times), RunStoreError> {
            let failed = || RunStoreError::sql("read a step");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            let times = Times {
                started_at: self.try_get("started_at").map_err(failed())?,
                ended_at: self.try_get("ended_at").map_err(failed())?,
            };
            let memoized: i64 = self.try_get("memoized").map_err(failed())?;
            let state = StepState {
                asset: id("asset key", &get("asset")?)?,
                upstream: json("upstream", &get("upstream")?)?,
                datasets: json("datasets", &get("datasets")?)?,
                max_attempts: count("max attempts", self.try_get("max_attempts").map_err(failed())?)?,
                max_deliveries: count("max deliveries", self.try_get("max_deliveries").map_err(failed())?)?,
                status: spelled("step status", &get("status")?, StepStatus::parse)?,
                memoized: memoized != 0,
                resolution: json_option("resolution", self.try_get("resolution").map_err(failed())?)?,
                tasks: Vec::new(),
                outputs: json("outputs", &get("outputs")?)?,
                metadata: json("metadata", &get("metadata")?)?,
                failure: json_option("failure", self.try_get("failure").map_err(failed())?)?,
            };
            Ok((state, times))
        }

        fn task(&self) -> Result<(usize, TaskState), RunStoreError> {
            let failed = || RunStoreError::sql("read a task");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            let position = count("position", self.try_get("position").map_err(failed())?)?;
            let state = TaskState {
                id: id("task id", &get("task_id")?)?,
                shard: count("shard", self.try_get("shard").map_err(failed())?)?,
                status: spelled("task status", &get("status")?, TaskStatus::parse)?,
                attempt: count("attempt", self.try_get("attempt").map_err(failed())?)?,
                failures: count("failures", self.try_get("failures").map_err(failed())?)?,
                losses: count("losses", self.try_get("losses").map_err(failed())?)?,
                hand_backs: count("hand_backs", self.try_get("hand_backs").map_err(failed())?)?,
                outputs: json("outputs", &get("outputs")?)?,
                metadata: json("metadata", &get("metadata")?)?,
            };
            Ok((position, state))
        }

        fn event(&self) -> Result<StoredEvent, RunStoreError> {
            let failed = || RunStoreError::sql("read an event");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            let text = |name: &str| -> Result<Option<String>, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            Ok(StoredEvent {
                sequence: count("sequence", self.try_get("sequence").map_err(failed())?)?,
                at: self.try_get("at").map_err(failed())?,
                kind: spelled("event kind", &get("kind")?, EventKind::parse)?,
                asset: text("asset")?.map(|a| id("asset key", &a)).transpose()?,
                level: spelled("level", &get("level")?, Level::parse)?,
                message: get("message")?,
                attempt: count("attempt", self.try_get("attempt").map_err(failed())?)?,
                task: text("task_id")?.map(|t| id("task id", &t)).transpose()?,
                details: json("event details", &get("details")?)?,
            })
        }

        fn materialization(&self) -> Result<StoredMaterialization, RunStoreError> {
            let failed = || RunStoreError::sql("read a materialization");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            Ok(StoredMaterialization {
                id: get("materialization_id")?,
                asset: id("asset key", &get("asset")?)?,
                batch: id("batch id", &get("batch_id")?)?,
                key: get("version_key")?,
                run_id: id("run id", &get("run_id")?)?,
                created_at: self.try_get("created_at").map_err(failed())?,
                inputs: json("inputs", &get("inputs")?)?,
                outputs: json("outputs", &get("outputs")?)?,
                metadata: json("metadata", &get("metadata")?)?,
            })
        }

        fn feed_event(&self) -> Result<FeedEvent, RunStoreError> {
            let failed = || RunStoreError::sql("read an event");
            let get = |name: &str| -> Result<String, RunStoreError> {
                self.try_get(name).map_err(failed())
            };
            Ok(FeedEvent {
                position: self.try_get("position").map_err(failed())?,
                run_id: id("run id", &get("run_id")?)?,
                job: get("job")?,
                batch: id("batch id", &get("batch_id")?)?,
                event: self.event()?,
            })
        }
    }

    impl ReadRuns for driver::Pool {
        async fn complete(&self, mut run: StoredRun) -> Result<StoredRun, RunStoreError> {
            let steps = sqlx::query("SELECT * FROM orchestrator_steps WHERE run_id = $1 ORDER BY position")
                .bind(run.state.run_id.as_str())
                .fetch_all(self)
                .await
                .map_err(RunStoreError::sql("read steps"))?;
            for row in &steps {
                let (step, times) = row.step()?;
                run.state.steps.push(step);
                run.step_times.push(times);
            }
            let tasks = sqlx::query("SELECT * FROM orchestrator_tasks WHERE run_id = $1 ORDER BY position, shard")
                .bind(run.state.run_id.as_str())
                .fetch_all(self)
                .await
                .map_err(RunStoreError::sql("read tasks"))?;
            for row in &tasks {
                let (position, task) = row.task()?;
                let step = run.state.steps.get_mut(position)
                    .ok_or_else(|| RunStoreError::corrupt(format!("task {}", task.id)))?;
                step.tasks.push(task);
            }
            Ok(run)
        }
    }
}
