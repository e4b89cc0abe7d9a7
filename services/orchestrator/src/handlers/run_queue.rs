//! GetRunQueue: what holds a slot, what waits, and for what.

use std::collections::HashMap;

use kycc_domain::ids::RunId;
use kycc_proto::orchestrator::v1 as api;
use kycc_rpc::{ApiError, timestamp};

use super::{Api, failures};
use crate::core::{QueueLimits, RunStatus, SlotRun, TagValue, WaitsFor, turns, under_limits};
use crate::store::StoredRun;
use crate::wire;

/// Waiting runs of one answer.
const SHOWN: usize = 1_000;

impl Api {
    pub(super) async fn run_queue(&self) -> Result<api::GetRunQueueResponse, ApiError> {
        let live = self.store.live_facts().await.map_err(failures::store)?;
        let limits = &self.catalogue.current().run_queue;
        let (queued, holding): (Vec<_>, Vec<_>) = live
            .iter()
            .partition(|run| run.state.status == RunStatus::Queued);
        let slots =
            |runs: &[&StoredRun]| runs.iter().map(|run| run.facts.slot()).collect::<Vec<_>>();
        let held = slots(&holding);
        let known: HashMap<&RunId, &StoredRun> =
            queued.iter().map(|run| (&run.state.run_id, *run)).collect();
        let waiting = turns(limits, &held, slots(&queued));
        let waiting = waiting.iter().take(SHOWN).filter_map(|(slot, waits)| {
            let run = known.get(&slot.run_id)?;
            Some(entry(run, &reason(limits, *waits)))
        });
        Ok(api::GetRunQueueResponse {
            max_concurrent_runs: limits.max_concurrent_runs,
            tag_limits: tag_limits(limits, &held),
            running: holding.iter().map(|run| entry(run, "")).collect(),
            queued: waiting.collect(),
            queued_total: queued.len() as u64,
        })
    }
}

fn reason(limits: &QueueLimits, waits: Option<WaitsFor>) -> String {
    match waits {
        None => "nothing: it is about to start".to_owned(),
        Some(WaitsFor::Slot) => format!(
            "a slot: run_queue.max_concurrent_runs is {}",
            limits.max_concurrent_runs
        ),
        Some(WaitsFor::Tag(at)) => {
            let limit = &limits.tag_concurrency_limits[at];
            let of = match &limit.value {
                None => format!("with tag {}", limit.key),
                Some(TagValue::Is(value)) => format!("with tag {}={value}", limit.key),
                Some(TagValue::Each(each)) if each.apply_limit_per_unique_value => {
                    format!("with the same value of tag {}", limit.key)
                }
                Some(TagValue::Each(_)) => format!("with tag {}", limit.key),
            };
            format!("runs {of}: at most {} at once", limit.limit)
        }
    }
}

fn tag_limits(limits: &QueueLimits, holding: &[SlotRun]) -> Vec<api::TagLimit> {
    let running = under_limits(limits, holding);
    let limits = limits.tag_concurrency_limits.iter().enumerate();
    limits
        .map(|(at, limit)| {
            let (value, per_unique_value) = match &limit.value {
                None => (String::new(), false),
                Some(TagValue::Is(value)) => (value.clone(), false),
                Some(TagValue::Each(each)) => (String::new(), each.apply_limit_per_unique_value),
            };
            let used = running.iter().filter(|((of, _), _)| *of == at);
            api::TagLimit {
                key: limit.key.clone(),
                value,
                per_unique_value,
                limit: limit.limit,
                running: used.map(|(_, runs)| *runs).max().unwrap_or(0),
            }
        })
        .collect()
}

fn entry(run: &StoredRun, waits_for: &str) -> api::QueuedRun {
    api::QueuedRun {
        run_id: run.state.run_id.to_string(),
        job: run.facts.job.clone(),
        batch_id: run.facts.batch.to_string(),
        priority: run.facts.priority,
        create_time: Some(timestamp(run.facts.created_at)),
        status: wire::run_status(run.state.status).into(),
        waits_for: waits_for.to_owned(),
        tags: run.facts.tags.clone().into_iter().collect(),
    }
}
