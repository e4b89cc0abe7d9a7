//! Writes new runs, several in a few statements, for every database. Every method belongs to a transaction of the caller.

use std::collections::{BTreeMap, BTreeSet};

use kycc_audit::{AppendAudit as _, Deed};
use kycc_domain::ids::RunId;

use super::dead_letters::WriteDeadLetters as _;
use super::leader::Positions;
use super::rows::{bigint, id, to_json, to_json_option};
use super::types::{Created, Logged, NewRun};
use super::values::{chunks, statement};
use super::{RunStoreError, SERVICE};
use crate::core::StepState;

/// Implemented by the connection of every database.
pub(super) trait WriteRuns {
    /// Decides about each by its request id, and writes those that are new.
    async fn insert_runs(
        &mut self,
        new: &[NewRun],
        positions: &mut Positions,
    ) -> Result<Vec<Created>, RunStoreError>;
    /// What was asked for before under these request ids: fingerprint and run.
    async fn requests(
        &mut self,
        ids: &[&str],
    ) -> Result<BTreeMap<String, (String, RunId)>, RunStoreError>;
    async fn insert_requests(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError>;
    async fn insert_definitions(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError>;
    async fn insert_facts(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError>;
    async fn insert_steps(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError>;
    /// Events with the numbers that were given out for them.
    async fn insert_events(
        &mut self,
        events: &[(&RunId, i64, Logged)],
        positions: &mut Positions,
    ) -> Result<(), RunStoreError>;
}

/// Each run under its number in the list, in order; a request id that comes twice counts once.
fn decide(
    new: &[NewRun],
    before: &BTreeMap<String, (String, RunId)>,
) -> (Vec<Created>, Vec<usize>) {
    let mut seen = before.clone();
    let mut fresh = Vec::new();
    let decided = new.iter().enumerate().map(|(position, run)| {
        match seen.get(&run.request_id) {
            Some((fingerprint, run_id)) if *fingerprint == run.fingerprint => {
                return Created::Before(run_id.clone());
            }
            Some((_, run_id)) => return Created::Conflict(run_id.clone()),
            None => {}
        }
        if !run.request_id.is_empty() {
            let asked = (run.fingerprint.clone(), run.facts.run_id.clone());
            seen.insert(run.request_id.clone(), asked);
        }
        fresh.push(position);
        Created::New
    });
    (decided.collect(), fresh)
}

kycc_store::for_each_driver! {
    impl WriteRuns for driver::Connection {
        async fn insert_runs(&mut self, new: &[NewRun], positions: &mut Positions) -> Result<Vec<Created>, RunStoreError> {
            let ids: BTreeSet<&str> = new.iter().map(|run| run.request_id.as_str()).filter(|id| !id.is_empty()).collect();
            let before = self.requests(&ids.into_iter().collect::<Vec<_>>()).await?;
            let (mut decided, fresh_at) = decide(new, &before);
            let mut fresh: Vec<&NewRun> = Vec::with_capacity(fresh_at.len());
            for position in fresh_at {
                let run = &new[position];
                let replayed = match &run.replays {
                    Some(letter) => self.mark_replayed(letter, &run.facts).await?,
                    None => None,
                };
                match replayed {
                    Some(by) => decided[position] = Created::Replayed(by),
                    None => fresh.push(run),
                }
            }
            // All of a turn in one statement; the fence has locked out everybody else who could append.
            let deeds: Vec<Deed> = fresh.iter().map(|run| run.audit.clone()).collect();
            self.append_audit(SERVICE, &deeds).await.map_err(RunStoreError::store("append to the audit log"))?;
            for fresh in chunks(&fresh) {
                self.insert_requests(fresh).await?;
                self.insert_definitions(fresh).await?;
                self.insert_facts(fresh).await?;
                self.insert_steps(fresh).await?;
                let log = fresh.iter().flat_map(|run| (1..).zip(&run.log).map(|(sequence, entry)| {
                    (&run.facts.run_id, sequence, Logged { at: run.facts.created_at, entry: entry.clone() })
                }));
                self.insert_events(&log.collect::<Vec<_>>(), positions).await?;
            }
            Ok(decided)
        }

        async fn requests(&mut self, ids: &[&str]) -> Result<BTreeMap<String, (String, RunId)>, RunStoreError> {
            let mut found = BTreeMap::new();
            for ids in chunks(ids) {
                let sql = statement("SELECT request_id, fingerprint, run_id FROM orchestrator_requests WHERE request_id IN {}", 1, ids.len());
                let mut query = sqlx::query_as(sql);
                for id in ids {
                    query = query.bind(*id);
                }
                let rows: Vec<(String, String, String)> = query
                    .fetch_all(&mut *self)
                    .await
                    .map_err(RunStoreError::sql("look requests up"))?;
                for (request_id, fingerprint, run_id) in rows {
                    found.insert(request_id, (fingerprint, id("run id", &run_id)?));
                }
            }
            Ok(found)
        }

        async fn insert_requests(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError> {
            let new: Vec<_> = new.iter().filter(|run| !run.request_id.is_empty()).collect();
            if new.is_empty() {
                return Ok(());
            }
            let mut query = sqlx::query(statement(
                "INSERT INTO orchestrator_requests (request_id, fingerprint, run_id) VALUES {}", new.len(), 3));
            for run in new {
                query = query.bind(&run.request_id).bind(&run.fingerprint).bind(run.facts.run_id.as_str());
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("write requests"))?;
            Ok(())
        }

        async fn insert_definitions(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError> {
            let documents: BTreeMap<_, _> = new.iter().map(|run| (&run.facts.definitions_hash, &run.definitions)).collect();
            for (hash, document) in documents {
                sqlx::query("INSERT INTO orchestrator_definitions (hash, document) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
                    .bind(hash)
                    .bind(document)
                    .execute(&mut *self)
                    .await
                    .map_err(RunStoreError::sql("keep the definitions of a run"))?;
            }
            Ok(())
        }

        async fn insert_facts(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError> {
            let mut query = sqlx::query(statement("INSERT INTO orchestrator_runs (run_id, job, batch_id, status, priority, \
                principal, definitions_hash, parent_run_id, config, tags, inputs, traceparent, failure, timed_out, created_at, \
                last_sequence) VALUES {}", new.len(), 16));
            for NewRun { facts, state, log, .. } in new {
                query = query
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
                    .bind(bigint(log.len() as u64));
            }
            query.execute(&mut *self).await.map_err(RunStoreError::sql("write runs"))?;
            Ok(())
        }

        async fn insert_steps(&mut self, new: &[&NewRun]) -> Result<(), RunStoreError> {
            let steps = new.iter().flat_map(|run| run.state.steps.iter().enumerate().map(move |step| (run, step)));
            let steps: Vec<(_, (usize, &StepState))> = steps.collect();
            for steps in chunks(&steps) {
                let mut query = sqlx::query(statement("INSERT INTO orchestrator_steps (run_id, position, asset, upstream, \
                    datasets, max_attempts, status, memoized, resolution, outputs, metadata, failure, started_at, ended_at, \
                    max_deliveries) VALUES {}", steps.len(), 15));
                for (run, (position, step)) in steps {
                    let ended = step.status.is_terminal().then_some(run.facts.created_at);
                    query = query
                        .bind(run.facts.run_id.as_str())
                        .bind(bigint(*position as u64))
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
                        .bind(i64::from(step.max_deliveries));
                }
                query.execute(&mut *self).await.map_err(RunStoreError::sql("write steps"))?;
            }
            Ok(())
        }

        async fn insert_events(&mut self, events: &[(&RunId, i64, Logged)], positions: &mut Positions) -> Result<(), RunStoreError> {
            for events in chunks(events) {
                let mut query = sqlx::query(statement("INSERT INTO orchestrator_events (run_id, sequence, at, kind, asset, \
                    level, message, attempt, task_id, details, position) VALUES {}", events.len(), 11));
                for (run_id, sequence, Logged { at, entry }) in events {
                    query = query
                        .bind(run_id.as_str())
                        .bind(*sequence)
                        .bind(*at)
                        .bind(entry.kind.as_str())
                        .bind(entry.asset.as_ref().map(|a| a.as_str()))
                        .bind(entry.level.as_str())
                        .bind(&entry.message)
                        .bind(i64::from(entry.attempt))
                        .bind(entry.task.as_ref().map(|t| t.as_str()))
                        .bind(to_json(&entry.details))
                        .bind(positions.next()?);
                }
                query.execute(&mut *self).await.map_err(RunStoreError::sql("write events"))?;
            }
            Ok(())
        }
    }
}
