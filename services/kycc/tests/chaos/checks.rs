//! What must hold when the dust has settled.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use kycc_proto::orchestrator::v1::{Run, RunEvent, RunStatus};

use crate::calls::Front;
use crate::reference::{Batch, digests};

const SETTLES: Duration = Duration::from_secs(30);

/// SUCCESS, and what the undisturbed run made.
pub(crate) fn run(run: &Run, batch: &Batch) {
    assert_eq!(run.status(), RunStatus::Success, "{run:#?}");
    assert_eq!(digests(run), batch.digests, "{}", run.run_id);
}

/// Numbered without gaps; every step ended once and was materialized once.
pub(crate) fn events(events: &[RunEvent], run_id: &str) {
    let numbers: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    let expected: Vec<u64> = (1..=events.len() as u64).collect();
    assert_eq!(numbers, expected, "the events of {run_id}");
    let mut ends: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for event in events {
        if matches!(
            event.kind.as_str(),
            "STEP_SUCCESS" | "ASSET_MATERIALIZATION" | "RUN_SUCCESS"
        ) {
            *ends.entry((&event.kind, &event.asset)).or_default() += 1;
        }
    }
    let twice: Vec<_> = ends.iter().filter(|(_, count)| **count != 1).collect();
    assert!(
        twice.is_empty(),
        "{run_id} has these more than once: {twice:?}"
    );
    let successes = ends
        .keys()
        .filter(|(kind, _)| *kind == "STEP_SUCCESS")
        .count();
    assert_eq!(successes, 9, "{run_id}: {ends:?}");
}

/// No run holds a slot, no message is pending.
pub(crate) async fn nothing_is_left(front: &Front, redis: &str) {
    for status in [
        RunStatus::Queued,
        RunStatus::Starting,
        RunStatus::Started,
        RunStatus::Canceling,
    ] {
        let left = front.with_status(status).await;
        assert!(left.is_empty(), "{status:?}: {left:#?}");
    }
    // Acknowledgements follow the commit that ended the last run.
    let end = Instant::now() + SETTLES;
    loop {
        let left = pending(redis);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "messages are left pending: {left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Streams whose groups hold entries that were delivered and not acknowledged, or were never delivered.
fn pending(redis: &str) -> Vec<String> {
    let ask = |arguments: &[&str]| {
        let answer = Command::new("redis-cli")
            .args(["-u", redis, "--raw"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(answer.status.success(), "redis-cli {arguments:?} failed");
        String::from_utf8(answer.stdout).unwrap()
    };
    let keys = ask(&["keys", "kycc:*"]);
    let is_stream = |key: &&str| ask(&["type", key]).trim() == "stream";
    let mut left = Vec::new();
    for key in keys.lines().filter(is_stream) {
        let groups = ask(&["xinfo", "groups", key]);
        let mut words = groups.lines();
        while let Some(word) = words.next() {
            if matches!(word, "pending" | "lag") {
                let count = words.next().unwrap_or_default();
                if count != "0" {
                    left.push(format!("{key}: {word} {count}"));
                }
            }
        }
    }
    left
}
