//! What workers say while they work. Lines ride along with the next thing that is written, and wait for it a moment: talk
//! must not cost commits of its own beside results.

use std::time::Duration;

use kycc_domain::ids::RunId;
use kycc_proto::work::v1::TaskLog;
use tokio::time::Instant;

use super::hub::Notice;
use super::leader::Engine;
use super::turn::Input;

/// How long a line waits for company.
const HELD: Duration = Duration::from_millis(100);
/// Beyond so many there is company enough.
const MOST_HELD: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct HeldLines {
    lines: Vec<Input>,
    due: Option<Instant>,
}

impl HeldLines {
    fn hold(&mut self, line: Input) {
        self.lines.push(line);
        self.due.get_or_insert_with(|| Instant::now() + HELD);
    }

    pub(super) fn until_due(&self) -> Duration {
        let due = self
            .due
            .map(|due| due.saturating_duration_since(Instant::now()));
        due.unwrap_or(Duration::MAX)
    }

    /// Puts what is held before what else happened, if anything did, or if it has waited long enough.
    pub(super) fn release(&mut self, inputs: &mut Vec<Input>) {
        let waited = self.until_due().is_zero() || self.lines.len() >= MOST_HELD;
        if waited || !inputs.is_empty() {
            self.due = None;
            inputs.splice(0..0, self.lines.drain(..));
        }
    }
}

impl Engine {
    pub(super) fn lines(&mut self, logs: &[TaskLog]) {
        for log in logs {
            let Ok(run_id) = log.run_id.parse::<RunId>() else {
                continue;
            };
            let Some(run) = self.live.get_mut(&run_id) else {
                continue;
            };
            if log.progress_total > 0 {
                if let Some((asset, done, total)) = run.progress(log) {
                    self.hub
                        .notify(&run_id, Notice::Progress { asset, done, total });
                }
            } else if let Some(line) = run.line(log) {
                self.lines.hold(Input::Line { run_id, line });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Event, EventKind, Level, LogEntry};
    use crate::engine::leader::event;
    use crate::store::Logged;

    fn line() -> Input {
        let entry = LogEntry::of_run(EventKind::Log, Level::Info, "hello");
        Input::Line {
            run_id: "r1".parse().unwrap(),
            line: Logged { at: 1, entry },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lines_wait_for_company_but_not_for_long_and_stand_before_it() {
        let mut held = HeldLines::default();
        held.hold(line());
        let mut inputs = Vec::new();
        held.release(&mut inputs);
        assert!(inputs.is_empty());
        inputs.push(event("r1".parse().unwrap(), Event::Started));
        held.release(&mut inputs);
        assert!(matches!(
            inputs[..],
            [Input::Line { .. }, Input::Event { .. }]
        ));
        held.hold(line());
        tokio::time::advance(HELD).await;
        let mut alone = Vec::new();
        held.release(&mut alone);
        assert_eq!((alone.len(), held.until_due()), (1, Duration::MAX));
    }
}
