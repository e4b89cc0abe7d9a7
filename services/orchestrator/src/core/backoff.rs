//! The pause before a retry: exponential, with jitter from the task's own name, so that it is repeatable and that tasks
//! which failed together do not come back together.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often and how fast a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryPolicy {
    /// Tries in all, the first included.
    pub max_attempts: u32,
    pub delay_seconds: f64,
    pub max_delay_seconds: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            delay_seconds: 1.0,
            max_delay_seconds: 60.0,
        }
    }
}

/// `rank` is 0 for the first retry. Between half of and the whole `delay · 2^rank`, capped.
pub(crate) fn backoff(policy: &RetryPolicy, seed: &str, rank: u32) -> Duration {
    let whole = policy.delay_seconds * 2f64.powi(rank.min(30) as i32);
    let hash = blake3::hash(format!("{seed}\0{rank}").as_bytes());
    let jitter = f64::from(hash.as_bytes()[0]) / 255.0;
    let seconds = whole.min(policy.max_delay_seconds) * (0.5 + 0.5 * jitter);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_are_jittered_by_at_most_half() {
        let policy = RetryPolicy {
            max_attempts: 9,
            delay_seconds: 1.0,
            max_delay_seconds: 10.0,
        };
        for (rank, whole) in [
            (0, 1.0),
            (1, 2.0),
            (2, 4.0),
            (3, 8.0),
            (4, 10.0),
            (40, 10.0),
        ] {
            let pause = backoff(&policy, "task", rank).as_secs_f64();
            assert!((whole / 2.0..=whole).contains(&pause), "{rank}: {pause}");
        }
    }

    #[test]
    fn the_same_task_pauses_the_same_and_others_differ() {
        let policy = RetryPolicy::default();
        assert_eq!(backoff(&policy, "a", 1), backoff(&policy, "a", 1));
        let pauses: std::collections::HashSet<_> = (0..20)
            .map(|n| backoff(&policy, &format!("task-{n}"), 0))
            .collect();
        assert!(pauses.len() > 10);
    }
}
