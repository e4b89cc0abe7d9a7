//! What is kept of a task that workers died of.

use kycc_domain::ids::{AssetKey, TaskId};
use prost::Message as _;

use super::live::Live;
use super::task;
use crate::store::DeadLetter;

/// What the core says about it.
#[derive(Debug, Clone)]
pub(super) struct Died {
    pub(super) asset: AssetKey,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
    pub(super) deliveries: u32,
    pub(super) error: String,
}

/// `worker`: who had it last, as far as the queue knows.
pub(super) fn dead_letter(
    run: &Live,
    died: Died,
    worker: String,
    id: String,
    now: i64,
) -> DeadLetter {
    let lane = run.definitions.asset(died.asset.as_str());
    let message = task::message(run, &died.task, died.attempt);
    DeadLetter {
        id,
        task: died.task,
        run_id: run.facts.run_id.clone(),
        asset: died.asset,
        lane: lane.map(|asset| asset.lane.clone()).unwrap_or_default(),
        deliveries: died.deliveries,
        last_error: died.error,
        worker,
        message: message.map(|m| m.encode_to_vec()).unwrap_or_default(),
        created_at: now,
        replay: None,
    }
}
