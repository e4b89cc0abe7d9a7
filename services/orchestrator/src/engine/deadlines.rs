//! Run monitoring: when a run has taken too long to start, to end, or to stop. Pure.

use super::live::Live;
use crate::core::{Event, Failure, RunStatus};
use crate::definitions::Monitoring;

/// When the next timeout of this run strikes, and what it is.
pub(super) fn deadline(run: &Live, monitoring: &Monitoring) -> Option<(i64, Event)> {
    let after = |since: i64, seconds: u64| {
        since.saturating_add(
            i64::try_from(seconds)
                .unwrap_or(i64::MAX)
                .saturating_mul(1_000_000),
        )
    };
    if run.state.status == RunStatus::Canceling {
        let at = after(run.canceling_at?, monitoring.cancel_timeout_seconds);
        return Some((at, Event::CancelTimedOut));
    }
    if !monitoring.enabled || !run.state.status.holds_slot() {
        return None;
    }
    let started_at = run.started_at?;
    let timed_out = |reason: &str, message: String| Event::RunTimedOut {
        failure: Failure::new(reason, message),
    };
    let start = (run.state.status == RunStatus::Starting).then(|| {
        let seconds = monitoring.start_timeout_seconds;
        let message = format!("no step could be started within {seconds} s; do the services that observe its sources answer?");
        (after(started_at, seconds), timed_out("START_TIMED_OUT", message))
    });
    let runtime = (monitoring.max_runtime_seconds > 0).then(|| {
        let seconds = monitoring.max_runtime_seconds;
        let message =
            format!("the run took longer than run_monitoring.max_runtime_seconds, {seconds} s");
        (
            after(started_at, seconds),
            timed_out("RUN_TIMED_OUT", message),
        )
    });
    start.into_iter().chain(runtime).min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::definitions::{DEFAULT, Definitions};
    use crate::store::conformance::new_run;

    fn live(status: RunStatus) -> Live {
        let new = new_run("r1", "");
        let definitions = Arc::new(Definitions::from_yaml(DEFAULT).unwrap());
        let mut run = Live::new(Arc::new(new.facts), new.state.clone(), definitions, None, 0);
        let mut state = new.state;
        state.status = status;
        run.install(state, 1_000_000);
        run
    }

    fn monitoring() -> Monitoring {
        Monitoring {
            start_timeout_seconds: 10,
            cancel_timeout_seconds: 20,
            max_runtime_seconds: 5,
            ..Monitoring::default()
        }
    }

    #[test]
    fn the_earliest_timeout_counts() {
        let (at, event) = deadline(&live(RunStatus::Starting), &monitoring()).unwrap();
        assert_eq!(at, 6_000_000);
        assert!(
            matches!(event, Event::RunTimedOut { failure } if failure.reason == "RUN_TIMED_OUT")
        );
        let patient = Monitoring {
            max_runtime_seconds: 0,
            ..monitoring()
        };
        let (at, event) = deadline(&live(RunStatus::Starting), &patient).unwrap();
        assert_eq!(at, 11_000_000);
        assert!(
            matches!(event, Event::RunTimedOut { failure } if failure.reason == "START_TIMED_OUT")
        );
        assert!(deadline(&live(RunStatus::Started), &patient).is_none());
    }

    #[test]
    fn cancels_time_out_also_when_monitoring_is_off() {
        let off = Monitoring {
            enabled: false,
            ..monitoring()
        };
        let (at, event) = deadline(&live(RunStatus::Canceling), &off).unwrap();
        assert_eq!((at, event), (21_000_000, Event::CancelTimedOut));
        assert!(deadline(&live(RunStatus::Started), &off).is_none());
        assert!(deadline(&live(RunStatus::Queued), &monitoring()).is_none());
    }
}
