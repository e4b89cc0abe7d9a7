//! The message that a worker gets: everything that its task needs.

use kycc_domain::ids::TaskId;
use kycc_proto::work::v1::{Shard, Task};

use super::live::Live;
use crate::wire;

/// None when the task is not in the run, or has not been resolved: neither can be dispatched.
pub(super) fn message(run: &Live, task: &TaskId, attempt: u32) -> Option<Task> {
    let (s, t) = run.state.task_position(task)?;
    let step = &run.state.steps[s];
    let resolution = step.resolution.as_ref()?;
    let asset = run.definitions.asset(step.asset.as_str())?;
    let config = &run.facts.config;
    Some(Task {
        task_id: task.to_string(),
        run_id: run.facts.run_id.to_string(),
        asset: step.asset.to_string(),
        attempt,
        lane: asset.lane.clone(),
        traceparent: run.facts.traceparent.clone(),
        batch_id: run.facts.batch.to_string(),
        config_json: config["ops"][step.asset.as_str()]["config"].to_string(),
        inputs: resolution
            .inputs
            .iter()
            .map(wire::version_to_wire)
            .collect(),
        sources: resolution
            .sources
            .iter()
            .map(wire::source_to_wire)
            .collect(),
        version_key: resolution.key.clone(),
        shard: Some(Shard {
            index: step.tasks[t].shard,
            count: resolution.shards,
        }),
        code_version: asset.code_version.clone(),
        principal: run.facts.principal.clone(),
        resources_json: config["resources"].to_string(),
        expected_datasets: asset.outputs.iter().map(ToString::to_string).collect(),
        priority: run.facts.priority,
    })
}
