//! Places at which tests kill the process, to prove that nothing is lost or done twice wherever it dies.
//!
//! `KYCC_CRASH_AT=name` kills at the first pass, `name:n` at the n-th. Only with debug assertions; release builds have
//! none of this.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Every point that a process passes which starts, does a run and stops, in that order.
pub const POINTS: &[&str] = &[
    "orchestrator.leader_won",
    "orchestrator.run_created",
    "orchestrator.before_dispatch_commit",
    "orchestrator.after_dispatch_commit",
    "orchestrator.after_push",
    "worker.pulled",
    "lake.before_manifest",
    "lake.after_manifest",
    "worker.before_publish",
    "worker.after_publish",
    "orchestrator.before_result_commit",
    "orchestrator.after_result_commit",
    "orchestrator.after_result_ack",
    "orchestrator.leader_gave_up",
];

/// Points that only a process passes which takes up what another left behind.
pub const TAKE_OVER_POINTS: &[&str] = &["orchestrator.before_recovery_push"];

/// Marks a place; its name must stand in [`POINTS`] or [`TAKE_OVER_POINTS`].
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        if cfg!(debug_assertions) {
            $crate::crash::pass($name);
        }
    };
}

/// Called by [`crash_point!`].
pub fn pass(name: &'static str) {
    static TARGET: OnceLock<Option<Target>> = OnceLock::new();
    static PASSED: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());
    debug_assert!(
        POINTS.contains(&name) || TAKE_OVER_POINTS.contains(&name),
        "{name} is not in the table of crash points"
    );
    let target = TARGET.get_or_init(|| Target::parse(&std::env::var("KYCC_CRASH_AT").ok()?));
    let Some(target) = target.as_ref().filter(|target| target.name == name) else {
        return;
    };
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = passed.entry(name).or_default();
    *count += 1;
    if *count == target.pass {
        die();
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    pass: u64,
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        let (name, pass) = match text.split_once(':') {
            Some((name, pass)) => (name, pass.parse().ok()?),
            None => (text, 1),
        };
        Some(Self {
            name: name.to_owned(),
            pass,
        })
    }
}

/// Like `kill -9`: no destructor, no flush, no signal handler.
#[cfg(unix)]
fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

#[cfg(not(unix))]
fn die() {
    std::process::abort();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_a_point_and_a_pass() {
        let target = |text: &str| Target::parse(text).map(|t| (t.name, t.pass));
        assert_eq!(
            target("worker.pulled"),
            Some(("worker.pulled".to_owned(), 1))
        );
        assert_eq!(
            target("worker.pulled:3"),
            Some(("worker.pulled".to_owned(), 3))
        );
        assert_eq!(target("worker.pulled:x"), None);
    }

    #[test]
    fn a_point_that_nobody_asked_for_does_nothing() {
        for point in POINTS.iter().chain(TAKE_OVER_POINTS) {
            pass(point);
        }
    }
}
