//! What follows from a transition: steps become ready or are skipped, a run with nothing left to do ends.

use super::advance::Turn;
use super::command::{Command, EventKind, Level, LogEntry};
use super::failure::FailureKind;
use super::state::{RunStatus, StepStatus};

impl Turn {
    /// One pass suffices: a step's upstream stands before it.
    pub(super) fn settle(&mut self) {
        if self.state.status.is_terminal() || self.state.status == RunStatus::Queued {
            return;
        }
        for s in 0..self.state.steps.len() {
            if self.state.steps[s].status == StepStatus::Pending {
                self.settle_pending(s);
            }
        }
        if self.state.steps.iter().all(|s| s.status.is_terminal()) {
            self.finish();
        }
    }

    fn settle_pending(&mut self, s: usize) {
        let step = &self.state.steps[s];
        let asset = step.asset.clone();
        let mut upstream = step.upstream.iter().map(|u| &self.state.steps[*u]);
        if let Some(ended) = upstream
            .clone()
            .find(|u| matches!(u.status, StepStatus::Failure | StepStatus::Skipped))
        {
            let message = format!("{asset} skipped: {} did not succeed", ended.asset);
            self.state.steps[s].status = StepStatus::Skipped;
            self.emit(LogEntry::of_step(
                EventKind::StepSkipped,
                Level::Warning,
                &asset,
                message,
            ));
        } else if upstream.all(|u| u.status == StepStatus::Success) {
            self.state.steps[s].status = StepStatus::Resolving;
            self.commands.push(Command::ResolveStep { asset });
        }
    }

    fn finish(&mut self) {
        let failed = self.state.failure.as_ref();
        let (status, kind, level, message) = match (self.state.status, failed) {
            (RunStatus::Canceling, Some(failure)) if self.state.timed_out => (
                RunStatus::Failure,
                EventKind::RunFailure,
                Level::Error,
                failure.message.clone(),
            ),
            (RunStatus::Canceling, _) => (
                RunStatus::Canceled,
                EventKind::RunCanceled,
                Level::Warning,
                match failed.filter(|failure| failure.kind == FailureKind::CancelTimeout) {
                    Some(failure) => format!("the run was canceled; {}", failure.message),
                    None => "the run was canceled".to_owned(),
                },
            ),
            (_, Some(failure)) => (
                RunStatus::Failure,
                EventKind::RunFailure,
                Level::Error,
                failure.message.clone(),
            ),
            (_, None) => (
                RunStatus::Success,
                EventKind::RunSuccess,
                Level::Info,
                "the run succeeded".to_owned(),
            ),
        };
        self.state.status = status;
        let mut entry = LogEntry::of_run(kind, level, message);
        if status == RunStatus::Failure
            && let Some(failure) = &self.state.failure
        {
            entry = entry.with("kind", failure.kind.as_str());
        }
        self.emit(entry);
    }
}
