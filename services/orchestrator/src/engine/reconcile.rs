//! What the store calls dispatched and the queue does not hold is pushed again; runs that the store has and memory has not
//! are taken up. At the beginning of a term, after trouble with the queue, and now and then.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use kycc_domain::ids::{RunId, TaskId};
use kycc_runtime::crash_point;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::handle::Message;
use super::leader::{Engine, EngineError};
use super::streams::RESULTS;
use super::term::Deposed;
use crate::core::{Command, RunStatus, StepStatus, TaskStatus, recover};
use crate::store::{RunStoreError, StoredRun};

/// Between two looks of which the second decides. What was answered in between has left the list by then.
const CONFIRM: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// An attempt that a lane should hold.
type Attempt = (RunId, TaskId, u32);

#[derive(Debug)]
pub(super) struct Reconciler {
    next: Instant,
    /// Missing at the last look.
    suspects: HashSet<Attempt>,
}

impl Default for Reconciler {
    fn default() -> Self {
        Self {
            next: Instant::now(),
            suspects: HashSet::new(),
        }
    }
}

impl Reconciler {
    pub(super) fn soon(&mut self) {
        self.next = Instant::now();
    }
}

impl Engine {
    /// Takes up every run that has not ended, and asks again for what was under way and is not any more.
    pub(super) async fn recover(&mut self) -> Result<Result<(), Deposed>, EngineError> {
        let stored = match self.live_runs().await? {
            Ok(stored) => stored,
            Err(deposed) => return Ok(Err(deposed)),
        };
        if let Err(error) = self.parts.catalogue.reload() {
            // Those that this process knows were valid when it read them.
            tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot read the pipeline's definitions again");
        }
        let mut effects = Vec::new();
        for run in stored {
            let run_id = run.state.run_id.clone();
            tracing::info!(%run_id, status = run.state.status.as_str(), "a run that had not ended goes on");
            let asked = recover(&run.state).into_iter();
            effects.extend(asked.map(|command| (run_id.clone(), command)));
            self.adopt(run).await;
        }
        Ok(self.resume(effects).await)
    }

    async fn resume(&mut self, mut effects: Vec<(RunId, Command)>) -> Result<(), Deposed> {
        // First what the lanes hold, then the results. A worker publishes its result before it lets go of its task: what was
        // not on a lane, and has no result afterwards either, is lost.
        let missing = self.missing().await;
        self.drain_results().await?;
        effects.retain(|(run_id, command)| match command {
            Command::Dispatch { .. } => false,
            Command::ResolveStep { asset } => {
                let step = self.live.get(run_id).and_then(|run| run.state.step(asset));
                step.is_some_and(|step| step.status == StepStatus::Resolving)
            }
            _ => true,
        });
        if !missing.is_empty() {
            crash_point!("orchestrator.before_recovery_push");
        }
        self.push_all(missing).await;
        self.perform(effects).await;
        self.reconciler.next = Instant::now() + self.parts.lease / 3;
        self.turn(Vec::new()).await
    }

    /// As long as the store does not answer, there is nothing to do but to ask it.
    async fn live_runs(&mut self) -> Result<Result<Vec<StoredRun>, Deposed>, EngineError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.term.within(self.parts.store.live_runs()).await {
                Ok(Ok(stored)) => return Ok(Ok(stored)),
                Err(deposed) => return Ok(Err(deposed)),
                Ok(Err(source @ RunStoreError::Corrupt { .. })) => {
                    return Err(EngineError::Recover { source });
                }
                Ok(Err(error)) => {
                    tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot load the runs that have not ended; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn drain_results(&mut self) -> Result<(), Deposed> {
        let mut last = None;
        loop {
            let entries = match self.parts.queue.pull_results(RESULTS, Duration::ZERO).await {
                Ok(entries) if entries.is_empty() => return Ok(()),
                Ok(entries) => entries,
                Err(error) => {
                    tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot read the results that wait");
                    return Ok(());
                }
            };
            let first = entries.first().map(|entry| entry.entry.clone());
            if first == last {
                // It cannot be acknowledged now; its reader goes on with it.
                return Ok(());
            }
            last = first;
            let (done, _) = oneshot::channel();
            self.turn(vec![Message::Results { entries, done }]).await?;
        }
    }

    /// No timer where nothing is dispatched: an idle leader does not look.
    pub(super) fn until_next_look(&self) -> Duration {
        match self.dispatched().next() {
            Some(_) => self
                .reconciler
                .next
                .saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    pub(super) async fn reconcile(&mut self) {
        if self.live.is_empty() || Instant::now() < self.reconciler.next {
            return;
        }
        let confirms = !self.reconciler.suspects.is_empty();
        let missing = self.missing().await;
        let (lost, suspects): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|attempt| self.reconciler.suspects.contains(attempt));
        let regular = self.parts.lease / 3;
        let pause = if suspects.is_empty() {
            regular
        } else {
            CONFIRM.min(regular)
        };
        self.reconciler.next = Instant::now() + pause;
        self.reconciler.suspects = suspects.into_iter().collect();
        if !lost.is_empty() {
            tracing::warn!(
                tasks = lost.len(),
                "the queue has lost tasks; they are pushed again"
            );
            self.push_all(lost).await;
        }
        if !confirms {
            self.take_up_unknown().await;
        }
    }

    async fn take_up_unknown(&mut self) {
        match self.parts.store.live_run_ids().await {
            Ok(ids) => {
                for run_id in ids {
                    self.take_up(run_id).await;
                }
            }
            Err(error) => {
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot look for runs that nobody moves");
            }
        }
    }

    /// Attempts that a lane should hold; those that wait to be pushed know it themselves.
    fn dispatched(&self) -> impl Iterator<Item = (&str, Attempt)> {
        let working = self
            .live
            .values()
            .filter(|run| !matches!(run.state.status, RunStatus::Queued | RunStatus::Canceling));
        working.flat_map(|run| {
            run.state.steps.iter().flat_map(move |step| {
                let lane = run
                    .definitions
                    .asset(step.asset.as_str())
                    .map(|a| a.lane.as_str());
                let tasks = step
                    .tasks
                    .iter()
                    .filter(|task| task.status == TaskStatus::Dispatched);
                tasks.filter_map(move |task| {
                    Some((
                        lane?,
                        (run.facts.run_id.clone(), task.id.clone(), task.attempt),
                    ))
                })
            })
        })
    }

    /// Asks the lanes that should hold something, all at once. A lane that does not answer misses nothing, as far as anybody
    /// knows.
    async fn missing(&self) -> Vec<Attempt> {
        let waiting: HashSet<&Attempt> = self.unpushed.iter().collect();
        let mut lanes: BTreeMap<&str, Vec<Attempt>> = BTreeMap::new();
        for (lane, attempt) in self
            .dispatched()
            .filter(|(_, attempt)| !waiting.contains(attempt))
        {
            lanes.entry(lane).or_default().push(attempt);
        }
        let looks = lanes.into_iter().map(|(lane, expected)| async move {
            match self.parts.queue.outstanding(lane).await {
                Ok(held) => {
                    let held: HashSet<_> = held.into_iter().map(|o| (o.task_id, o.attempt)).collect();
                    let is_held = |(_, task, attempt): &Attempt| held.contains(&(task.to_string(), *attempt));
                    expected.into_iter().filter(|attempt| !is_held(attempt)).collect()
                }
                Err(error) => {
                    tracing::warn!(lane, error = %kycc_telemetry::chain(&error), "cannot see what a lane holds");
                    Vec::new()
                }
            }
        });
        futures::future::join_all(looks).await.concat()
    }
}
