//! Writes what a turn changes, and makes memory what was written.

use std::time::Duration;

use kycc_domain::ids::RunId;
use kycc_runtime::crash_point;
use tokio::time::Instant;

use super::hub::Notice;
use super::inline::Inline;
use super::leader::Engine;
use super::term::Deposed;
use super::turn::{Input, Plan, plan};
use crate::core::{Command, recover};
use crate::store::{Applied, Change, RunStoreError};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Engine {
    /// Writes until it is written, or until another leads; meanwhile nothing else moves. Answers what is to be done.
    pub(super) async fn write(
        &mut self,
        inputs: Vec<Input>,
        with_results: bool,
    ) -> Result<Vec<(RunId, Command)>, Deposed> {
        let limits = self.parts.catalogue.current().run_queue.clone();
        let mut pause = FIRST_PAUSE;
        let mut again = Vec::new();
        let mut rounds = vec![inputs];
        let mut inline = Inline::default();
        let mut publishing = None;
        loop {
            let plan = plan(&self.live, &rounds, &limits, self.parts.clock.as_ref());
            // Steps that became ready are resolved here: what follows from that is part of the same transaction.
            let answers = self.resolve_inline(&plan, &mut inline).await;
            if !answers.is_empty() {
                rounds.push(answers);
                continue;
            }
            if plan.changes.is_empty() {
                again.extend(inline.left_of(plan.effects));
                return Ok(again);
            }
            if publishing.is_none() && plan.changes.iter().any(Change::publishes) {
                // Until it is known what was written, nobody in this process relies on what is current.
                publishing = Some(self.parts.published.under_way());
            }
            match self.apply(&plan, with_results).await? {
                Ok(applied) => {
                    // First what is current, then that a run has ended.
                    self.tell_published(applied.published);
                    self.install(plan.changes, &applied.last_events);
                    again.extend(inline.left_of(plan.effects));
                    return Ok(again);
                }
                Err(error) => {
                    tracing::error!(error = %kycc_telemetry::chain(&error), transient = error.is_transient(), "cannot write what happened; trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    let touched = plan.changes.into_iter().map(|change| change.run_id);
                    again.extend(self.read_again(touched.collect(), &mut rounds).await);
                }
            }
        }
    }

    async fn apply(
        &mut self,
        plan: &Plan,
        with_results: bool,
    ) -> Result<Result<Applied, RunStoreError>, Deposed> {
        if plan.dispatches() {
            crash_point!("orchestrator.before_dispatch_commit");
        }
        if with_results {
            crash_point!("orchestrator.before_result_commit");
        }
        let begun = Instant::now();
        let writing = self.parts.store.apply(self.term.epoch, &plan.changes);
        match self.term.within(writing).await? {
            Ok(applied) => {
                self.term.renewed(begun);
                if plan.dispatches() {
                    crash_point!("orchestrator.after_dispatch_commit");
                }
                if with_results {
                    crash_point!("orchestrator.after_result_commit");
                }
                Ok(Ok(applied))
            }
            Err(RunStoreError::Deposed { .. }) => Err(Deposed),
            Err(error) => Ok(Err(error)),
        }
    }

    fn tell_published(&self, position: Option<u64>) {
        if let Some(position) = position {
            self.parts.published.raise_to(position);
            self.hub.published(position);
        }
    }

    fn install(&mut self, changes: Vec<Change>, sequences: &[u64]) {
        for (change, sequence) in changes.into_iter().zip(sequences) {
            if let Some(run) = self.live.get_mut(&change.run_id) {
                run.last_sequence = *sequence;
                if let Some(moved) = change.moved {
                    run.install(moved.after, change.at);
                }
                if run.state.status.is_terminal() {
                    self.live.remove(&change.run_id);
                }
            }
            self.hub.notify(&change.run_id, Notice::Events);
        }
    }

    /// After a write that may or may not have happened: memory becomes what the store says. Where it did happen, what it
    /// asked for is asked for again, and lines are not written twice.
    async fn read_again(
        &mut self,
        runs: Vec<RunId>,
        rounds: &mut [Vec<Input>],
    ) -> Vec<(RunId, Command)> {
        let mut asked = Vec::new();
        match self.parts.store.newest_position().await {
            Ok(position) => self.tell_published(Some(position)),
            Err(_) => return asked,
        }
        for run_id in runs {
            let stored = match self.parts.store.run(&run_id).await {
                Ok(Some(stored)) => stored,
                Ok(None) => continue,
                // The next attempt to write will tell.
                Err(_) => return asked,
            };
            let Some(run) = self.live.get_mut(&run_id) else {
                continue;
            };
            if stored.last_sequence == run.last_sequence {
                continue;
            }
            run.last_sequence = stored.last_sequence;
            for inputs in rounds.iter_mut() {
                inputs.retain(
                    |input| !matches!(input, Input::Line { run_id: of, .. } if *of == run_id),
                );
            }
            // What was under way before that write is still.
            let known = recover(&run.state);
            let fresh = recover(&stored.state)
                .into_iter()
                .filter(|command| !known.contains(command));
            asked.extend(fresh.map(|command| (run_id.clone(), command)));
            let ended = stored.state.status.is_terminal();
            run.install(stored.state, self.parts.clock.now_micros());
            if ended {
                self.live.remove(&run_id);
            }
            self.hub.notify(&run_id, Notice::Events);
        }
        asked
    }
}
