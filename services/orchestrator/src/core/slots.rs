//! Which queued runs may start. Slots are counted from the runs that hold one, never from a counter that somebody must
//! free.

use std::collections::{BTreeMap, HashMap};

use kycc_domain::ids::RunId;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Dagster's keys and their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueLimits {
    /// -1: no limit. 0: nothing starts.
    pub max_concurrent_runs: i64,
    pub tag_concurrency_limits: Vec<TagLimit>,
}

/// What `max_concurrent_runs` is where runs are not limited.
pub(crate) const UNLIMITED: i64 = -1;

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
    pub value: Option<TagValue>,
    pub limit: u32,
}

/// A text, or `{ applyLimitPerUniqueValue: true }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a text, or { applyLimitPerUniqueValue: true }")]
pub(crate) enum TagValue {
    Is(String),
    Each(EachValue),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EachValue {
    /// True: the limit holds for each value of the tag separately. False: for all of them together.
    #[serde(rename = "applyLimitPerUniqueValue")]
    pub apply_limit_per_unique_value: bool,
}

/// What is counted under a limit: runs of one value, or of any.
pub(crate) type Counter<'a> = (usize, &'a str);

impl TagLimit {
    /// The value under which a run with these tags counts, if the limit concerns it.
    fn counts<'a>(&self, tags: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let found = tags.get(&self.key)?;
        match &self.value {
            None => Some(""),
            Some(TagValue::Is(value)) => (value == found).then_some(""),
            Some(TagValue::Each(each)) if each.apply_limit_per_unique_value => Some(found),
            Some(TagValue::Each(_)) => Some(""),
        }
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
pub(crate) fn grant(limits: &QueueLimits, holding: &[SlotRun], queued: Vec<SlotRun>) -> Vec<RunId> {
    if queued.is_empty() || free(limits, holding) == 0 {
        return Vec::new();
    }
    let turns = turns(limits, holding, queued).into_iter();
    turns
        .filter(|(_, waits)| waits.is_none())
        .map(|(run, _)| run.run_id)
        .collect()
}

/// Why a run does not start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// Every slot is taken.
    Slot,
    /// As many runs as may be under the limit at this place of `tag_concurrency_limits`.
    Tag(usize),
}

/// Queued runs in the order in which they get their turn, each with what it waits for; none would start now.
pub(crate) fn turns(
    limits: &QueueLimits,
    holding: &[SlotRun],
    mut queued: Vec<SlotRun>,
) -> Vec<(SlotRun, Option<WaitsFor>)> {
    let mut free = free(limits, holding);
    queued.sort_by(|a, b| {
        (b.priority, a.created_at, &a.run_id).cmp(&(a.priority, b.created_at, &b.run_id))
    });
    let mut running = under_limits(limits, holding);
    let waits: Vec<_> = queued
        .iter()
        .map(|run| {
            if free == 0 {
                return Some(WaitsFor::Slot);
            }
            let own: Vec<_> = counters(limits, run).collect();
            let full = |counter: &&Counter<'_>| {
                let limit = limits.tag_concurrency_limits[counter.0].limit;
                running.get(*counter).copied().unwrap_or(0) >= limit
            };
            if let Some(full) = own.iter().find(full) {
                return Some(WaitsFor::Tag(full.0));
            }
            for counter in own {
                *running.entry(counter).or_default() += 1;
            }
            free -= 1;
            None
        })
        .collect();
    queued.into_iter().zip(waits).collect()
}

fn free(limits: &QueueLimits, holding: &[SlotRun]) -> usize {
    match limits.max_concurrent_runs {
        UNLIMITED => usize::MAX,
        most => usize::try_from(most)
            .unwrap_or(0)
            .saturating_sub(holding.len()),
    }
}

/// Runs that hold a slot, by place of the limit in `tag_concurrency_limits` and value that it counts.
pub(crate) fn under_limits<'a>(
    limits: &'a QueueLimits,
    holding: &'a [SlotRun],
) -> HashMap<Counter<'a>, u32> {
    let mut running = HashMap::new();
    for run in holding {
        for counter in counters(limits, run) {
            *running.entry(counter).or_default() += 1;
        }
    }
    running
}

fn counters<'a>(
    limits: &'a QueueLimits,
    run: &'a SlotRun,
) -> impl Iterator<Item = Counter<'a>> + 'a {
    let limits = limits.tag_concurrency_limits.iter().enumerate();
    limits.filter_map(|(at, limit)| Some((at, limit.counts(&run.tags)?)))
}
