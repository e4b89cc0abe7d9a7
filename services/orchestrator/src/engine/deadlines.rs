//! Run monitoring: when a run has taken too long to start, to end, or to stop. Pure.

use super::live::Live;
use crate::core::{Event, Failure, FailureKind, MAX_RUNTIME, RunStatus, max_runtime};
use crate::definitions::Monitoring;

/// When the next timeout of this run strikes, and what it is. Timeouts of runs stop their tasks; tasks that do not stop
/// are given up after the cancel timeout, and what they still answer is refused.
pub(super) fn deadline(run: &Live, monitoring: &Monitoring) -> Option<(i64, Event)> {
    if run.state.status == RunStatus::Canceling {
        let at = after(run.canceling_at?, monitoring.cancel_timeout_seconds);
        return Some((at, Event::CancelTimedOut));
    }
    if !monitoring.enabled || !run.state.status.holds_slot() {
        return None;
    }
    let started_at = run.started_at?;
    let start = start_timeout(run, monitoring);
    let runtime = runtime_limit(run, monitoring);
    let next = start.into_iter().chain(runtime);
    let (seconds, failure) = next.min_by_key(|(seconds, _)| *seconds)?;
    Some((after(started_at, seconds), Event::RunTimedOut { failure }))
}

fn after(since: i64, seconds: u64) -> i64 {
    let micros = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000_000);
    since.saturating_add(micros)
}

fn start_timeout(run: &Live, monitoring: &Monitoring) -> Option<(u64, Failure)> {
    let seconds = monitoring.start_timeout_seconds;
    if run.state.status != RunStatus::Starting || seconds == 0 {
        return None;
    }
    let message = format!(
        "no step could be started within {seconds} s; do the services that observe its sources answer?"
    );
    Some((seconds, Failure::plain(FailureKind::StartTimeout, message)))
}

/// The run's own tag, else what the definitions say.
fn runtime_limit(run: &Live, monitoring: &Monitoring) -> Option<(u64, Failure)> {
    let own = max_runtime(&run.facts.tags).ok().flatten();
    let (seconds, said_by) = match own {
        Some(seconds) => (seconds, format!("its tag {MAX_RUNTIME}")),
        None if monitoring.max_runtime_seconds == 0 => return None,
        None => (
            monitoring.max_runtime_seconds,
            "run_monitoring.max_runtime_seconds".to_owned(),
        ),
    };
    let message = format!("the run took longer than {said_by} allows, {seconds} s");
    let failure = Failure::plain(FailureKind::MaxRuntimeExceeded, message);
    Some((seconds, failure))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::definitions::{DEFAULT, Definitions};
    use crate::store::conformance::new_run;

    fn live(status: RunStatus, max_runtime: &str) -> Live {
        let mut new = new_run("r1", "");
        if !max_runtime.is_empty() {
            let tags = &mut new.facts.tags;
            tags.insert(MAX_RUNTIME.to_owned(), max_runtime.to_owned());
        }
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

    fn strikes(run: &Live, monitoring: &Monitoring) -> Option<(i64, FailureKind)> {
        match deadline(run, monitoring)? {
            (at, Event::RunTimedOut { failure }) => Some((at, failure.kind)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_earliest_timeout_counts() {
        let starting = live(RunStatus::Starting, "");
        let expected = Some((6_000_000, FailureKind::MaxRuntimeExceeded));
        assert_eq!(strikes(&starting, &monitoring()), expected);
        let patient = Monitoring {
            max_runtime_seconds: 0,
            ..monitoring()
        };
        let expected = Some((11_000_000, FailureKind::StartTimeout));
        assert_eq!(strikes(&starting, &patient), expected);
        assert!(deadline(&live(RunStatus::Started, ""), &patient).is_none());
    }

    #[test]
    fn a_runs_own_tag_goes_before_the_definitions() {
        for (tag, at) in [("60", 61_000_000), ("2", 3_000_000)] {
            let expected = Some((at, FailureKind::MaxRuntimeExceeded));
            let started = live(RunStatus::Started, tag);
            assert_eq!(strikes(&started, &monitoring()), expected);
        }
    }

    #[test]
    fn cancels_time_out_also_when_monitoring_is_off() {
        let off = Monitoring {
            enabled: false,
            ..monitoring()
        };
        let (at, event) = deadline(&live(RunStatus::Canceling, ""), &off).unwrap();
        assert_eq!((at, event), (21_000_000, Event::CancelTimedOut));
        assert!(deadline(&live(RunStatus::Started, "2"), &off).is_none());
        assert!(deadline(&live(RunStatus::Queued, ""), &monitoring()).is_none());
    }
}
