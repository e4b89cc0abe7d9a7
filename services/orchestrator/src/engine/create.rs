//! Writes the runs that were asked for, all of a turn in one transaction, and takes them up.

use std::sync::Arc;
use std::time::Duration;

use kycc_audit::Deed;
use kycc_runtime::crash_point;
use kycc_store::Effect;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::handle::{Creation, Message};
use super::leader::Engine;
use super::term::Deposed;
use crate::store::{Created, NewRun, RunStoreError, StoredRun, Times};

/// Until the store is asked whether it wrote a run that it was not sure of.
const DOUBT: Duration = Duration::from_millis(500);

impl Engine {
    pub(super) async fn create(&mut self, creations: Vec<Creation>) -> Result<(), Deposed> {
        if creations.is_empty() {
            return Ok(());
        }
        let (runs, waiting): (Vec<NewRun>, Vec<_>) = creations
            .into_iter()
            .map(|creation| (*creation.new, creation.done))
            .unzip();
        let mut answers = match self.write_runs(&runs).await? {
            Ok(created) => created.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(Arc::new(error)); runs.len()],
        };
        let alone = |answer: &Result<Created, Arc<RunStoreError>>| matches!(answer, Err(error) if error.effect() == Effect::NotApplied && !error.is_transient());
        if runs.len() > 1 && answers.iter().any(alone) {
            // One of them is at fault, and the others need not suffer for it.
            for (run, answer) in runs.iter().zip(&mut answers) {
                let written = self.write_runs(std::slice::from_ref(run)).await?;
                *answer = written
                    .map(|mut created| created.remove(0))
                    .map_err(Arc::new);
            }
        }
        if answers
            .iter()
            .any(|answer| matches!(answer, Ok(Created::New)))
        {
            crash_point!("orchestrator.run_created");
        }
        for ((run, answer), done) in runs.into_iter().zip(answers).zip(waiting) {
            match &answer {
                Ok(Created::New) => self.adopt(stored(run)).await,
                Ok(_) => {}
                Err(error) if error.effect() == Effect::Unknown => {
                    self.later(DOUBT, Message::Launched(run.facts.run_id));
                }
                Err(_) => {}
            }
            let _ = done.send(answer);
        }
        Ok(())
    }

    /// Whoever waits hears nothing where it was not written. A deposed leader finds out by its next write.
    pub(super) async fn record(&mut self, deed: &Deed, done: oneshot::Sender<()>) {
        let writing = self.parts.store.record(self.term.epoch, deed);
        match self.term.within(writing).await {
            Ok(Ok(())) => drop(done.send(())),
            Ok(Err(error)) => {
                tracing::error!(error = %kycc_telemetry::chain(&error), action = deed.action, "cannot append to the audit log");
            }
            Err(Deposed) => {}
        }
    }

    async fn write_runs(
        &mut self,
        runs: &[NewRun],
    ) -> Result<Result<Vec<Created>, RunStoreError>, Deposed> {
        let begun = Instant::now();
        let writing = self.parts.store.create(self.term.epoch, runs);
        match self.term.within(writing).await? {
            Err(RunStoreError::Deposed { .. }) => Err(Deposed),
            answer => {
                if answer.is_ok() {
                    self.term.renewed(begun);
                }
                Ok(answer)
            }
        }
    }
}

/// The run as it now stands in the store.
fn stored(new: NewRun) -> StoredRun {
    StoredRun {
        step_times: vec![Times::default(); new.state.steps.len()],
        last_sequence: new.log.len() as u64,
        facts: Arc::new(new.facts),
        state: new.state,
        times: Times::default(),
    }
}
