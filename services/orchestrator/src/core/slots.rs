//! Which queued runs may start. Slots are counted from the runs that hold one, never from a counter that somebody must
//! free.

use std::collections::BTreeMap;

use kycc_domain::ids::RunId;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueLimits {
    pub max_concurrent_runs: u32,
    pub tag_concurrency_limits: Vec<TagLimit>,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            max_concurrent_runs: 5,
            tag_concurrency_limits: Vec::new(),
        }
    }
}

/// At most `limit` runs at once with this tag; without a value, with this tag and any value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagLimit {
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub limit: u32,
}

impl TagLimit {
    fn concerns(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(&self.key)
            .is_some_and(|found| self.value.as_ref().is_none_or(|value| value == found))
    }
}

/// A run as the queue sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotRun {
    pub run_id: RunId,
    pub tags: BTreeMap<String, String>,
    /// Higher starts first.
    pub priority: i32,
    pub created_at: i64,
}

/// Highest priority first, then oldest. A run that a tag limit holds back holds no other back.
pub(crate) fn grant(
    limits: &QueueLimits,
    holding: &[SlotRun],
    mut queued: Vec<SlotRun>,
) -> Vec<RunId> {
    queued.sort_by(|a, b| {
        (b.priority, a.created_at, &a.run_id).cmp(&(a.priority, b.created_at, &b.run_id))
    });
    let mut running: Vec<SlotRun> = holding.to_vec();
    let mut granted = Vec::new();
    for run in queued {
        if running.len() >= limits.max_concurrent_runs as usize {
            break;
        }
        let held_back = limits.tag_concurrency_limits.iter().any(|limit| {
            limit.concerns(&run.tags)
                && running.iter().filter(|r| limit.concerns(&r.tags)).count()
                    >= limit.limit as usize
        });
        if !held_back {
            granted.push(run.run_id.clone());
            running.push(run);
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, priority: i32, created_at: i64, team: Option<&str>) -> SlotRun {
        SlotRun {
            run_id: id.parse().unwrap(),
            tags: team
                .map(|team| ("team".to_owned(), team.to_owned()))
                .into_iter()
                .collect(),
            priority,
            created_at,
        }
    }

    fn ids(granted: Vec<RunId>) -> Vec<String> {
        granted.into_iter().map(RunId::into_string).collect()
    }

    #[test]
    fn priority_goes_before_age_and_no_more_start_than_there_are_slots() {
        let limits = QueueLimits {
            max_concurrent_runs: 3,
            tag_concurrency_limits: Vec::new(),
        };
        let queued = vec![
            run("old", 0, 1, None),
            run("older", 0, 0, None),
            run("urgent", 5, 9, None),
        ];
        let granted = grant(&limits, &[run("live", 0, 0, None)], queued);
        assert_eq!(ids(granted), ["urgent", "older"]);
    }

    #[test]
    fn a_tag_limit_holds_back_its_own_runs_only() {
        let limit = |value: Option<&str>| QueueLimits {
            max_concurrent_runs: 5,
            tag_concurrency_limits: vec![TagLimit {
                key: "team".to_owned(),
                value: value.map(str::to_owned),
                limit: 1,
            }],
        };
        let queued = || {
            vec![
                run("a1", 0, 0, Some("a")),
                run("a2", 0, 1, Some("a")),
                run("b1", 0, 2, Some("b")),
                run("none", 0, 3, None),
            ]
        };
        assert_eq!(
            ids(grant(&limit(Some("a")), &[], queued())),
            ["a1", "b1", "none"]
        );
        assert_eq!(ids(grant(&limit(None), &[], queued())), ["a1", "none"]);
    }
}
