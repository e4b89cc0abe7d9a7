//! Between the orchestrator's own types and protobuf.

mod failures;

use kycc_proto::orchestrator::v1 as api;
use kycc_proto::work::v1::metadata_entry::Value as Wire;
use kycc_proto::work::v1::{DatasetVersion, LogLevel, MetadataEntry, SourceVersion};
use serde_json::Value;

use crate::core::{Level, Metadata, RunStatus, Source, StepState, StepStatus, Version};
use crate::definitions::{AssetDef, JobDef};
use crate::store::{StoredEvent, StoredMaterialization, StoredRun, Times};

pub(crate) use failures::dead_letter_to_wire;
use failures::failure;

/// A message of another service that names something impossible.
#[derive(Debug, thiserror::Error)]
#[error("a message holds {what} {text:?}, which is not valid")]
pub(crate) struct WireError {
    what: &'static str,
    text: String,
}

pub(crate) fn timestamp(micros: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}

pub(crate) fn micros(time: &prost_types::Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000_000) + i64::from(time.nanos) / 1_000
}

pub(crate) fn version_to_wire(version: &Version) -> DatasetVersion {
    DatasetVersion {
        dataset: version.dataset.to_string(),
        batch_id: version.batch.to_string(),
        key: version.key.clone(),
        digest: version.digest.clone(),
        rows: version.rows,
        bytes: version.bytes,
        files: version.files,
    }
}

pub(crate) fn version_from_wire(version: DatasetVersion) -> Result<Version, WireError> {
    let bad = |what, text: &str| WireError {
        what,
        text: text.to_owned(),
    };
    Ok(Version {
        dataset: version
            .dataset
            .parse()
            .map_err(|_| bad("the dataset", &version.dataset))?,
        batch: version
            .batch_id
            .parse()
            .map_err(|_| bad("the batch", &version.batch_id))?,
        key: version.key,
        digest: version.digest,
        rows: version.rows,
        bytes: version.bytes,
        files: version.files,
    })
}

pub(crate) fn source_to_wire(source: &Source) -> SourceVersion {
    SourceVersion {
        source: source.name.clone(),
        digest: source.digest.clone(),
        document_json: source.document.clone(),
    }
}

pub(crate) fn metadata_from_wire(entries: Vec<MetadataEntry>) -> Metadata {
    entries
        .into_iter()
        .filter_map(|entry| {
            let value = match entry.value? {
                Wire::IntValue(int) => int.into(),
                Wire::FloatValue(float) => float.into(),
                Wire::TextValue(text) => text.into(),
                Wire::BoolValue(flag) => flag.into(),
                Wire::JsonValue(json) => serde_json::from_str(&json).unwrap_or(Value::String(json)),
            };
            Some((entry.label, value))
        })
        .collect()
}

pub(crate) fn metadata_to_wire(metadata: &Metadata) -> Vec<MetadataEntry> {
    metadata
        .iter()
        .map(|(label, value)| MetadataEntry {
            label: label.clone(),
            value: Some(match value {
                Value::Bool(flag) => Wire::BoolValue(*flag),
                Value::String(text) => Wire::TextValue(text.clone()),
                Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(int), _) => Wire::IntValue(int),
                    (None, Some(float)) => Wire::FloatValue(float),
                    (None, None) => Wire::JsonValue(number.to_string()),
                },
                other => Wire::JsonValue(other.to_string()),
            }),
        })
        .collect()
}

pub(crate) fn level_from_wire(level: LogLevel) -> Level {
    match level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Warning => Level::Warning,
        LogLevel::Error => Level::Error,
        LogLevel::Info | LogLevel::Unspecified => Level::Info,
    }
}

fn level_to_wire(level: Level) -> LogLevel {
    match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warning => LogLevel::Warning,
        Level::Error => LogLevel::Error,
    }
}

pub(crate) fn run_status(status: RunStatus) -> api::RunStatus {
    match status {
        RunStatus::Queued => api::RunStatus::Queued,
        RunStatus::Starting => api::RunStatus::Starting,
        RunStatus::Started => api::RunStatus::Started,
        RunStatus::Success => api::RunStatus::Success,
        RunStatus::Failure => api::RunStatus::Failure,
        RunStatus::Canceling => api::RunStatus::Canceling,
        RunStatus::Canceled => api::RunStatus::Canceled,
    }
}

/// None for UNSPECIFIED.
pub(crate) fn run_status_from_wire(status: api::RunStatus) -> Option<RunStatus> {
    RunStatus::ALL
        .iter()
        .copied()
        .find(|own| run_status(*own) == status)
}

fn step_status(status: StepStatus) -> api::StepStatus {
    match status {
        StepStatus::Pending => api::StepStatus::Pending,
        StepStatus::Resolving => api::StepStatus::Resolving,
        StepStatus::Running => api::StepStatus::Running,
        StepStatus::Success => api::StepStatus::Success,
        StepStatus::Failure => api::StepStatus::Failure,
        StepStatus::Skipped => api::StepStatus::Skipped,
        StepStatus::Canceled => api::StepStatus::Canceled,
    }
}

fn step(step: &StepState, times: Times) -> api::Step {
    let done = step.tasks.iter().filter(|task| task.status.is_terminal());
    let (tasks, tasks_done) = (step.tasks.len(), done.count());
    api::Step {
        asset: step.asset.to_string(),
        status: step_status(step.status).into(),
        version_key: step
            .resolution
            .as_ref()
            .map(|resolution| resolution.key.clone())
            .unwrap_or_default(),
        memoized: step.memoized,
        tasks: u32::try_from(tasks).unwrap_or(u32::MAX),
        tasks_done: u32::try_from(tasks_done).unwrap_or(u32::MAX),
        attempt: step
            .tasks
            .iter()
            .map(|task| task.attempt)
            .max()
            .unwrap_or(0),
        start_time: times.started_at.map(timestamp),
        end_time: times.ended_at.map(timestamp),
        failure: step.failure.as_ref().map(failure),
        outputs: step.outputs.iter().map(version_to_wire).collect(),
        metadata: metadata_to_wire(&step.metadata),
    }
}

pub(crate) fn run_to_wire(run: &StoredRun) -> api::Run {
    let facts = &run.facts;
    api::Run {
        run_id: facts.run_id.to_string(),
        job: facts.job.clone(),
        batch_id: facts.batch.to_string(),
        status: run_status(run.state.status).into(),
        run_config_json: facts.config.to_string(),
        tags: facts.tags.clone().into_iter().collect(),
        principal: facts.principal.clone(),
        definitions_hash: facts.definitions_hash.clone(),
        parent_run_id: facts
            .parent
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        create_time: Some(timestamp(facts.created_at)),
        start_time: run.times.started_at.map(timestamp),
        end_time: run.times.ended_at.map(timestamp),
        steps: run
            .state
            .steps
            .iter()
            .zip(&run.step_times)
            .map(|(state, times)| step(state, *times))
            .collect(),
        failure: run.state.failure.as_ref().map(failure),
        traceparent: facts.traceparent.clone(),
        priority: facts.priority,
    }
}

pub(crate) fn event_to_wire(event: &StoredEvent) -> api::RunEvent {
    api::RunEvent {
        sequence: event.sequence,
        time: Some(timestamp(event.at)),
        kind: event.kind.as_str().to_owned(),
        asset: event
            .asset
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        level: level_to_wire(event.level).into(),
        message: event.message.clone(),
        attempt: event.attempt,
        task_id: event
            .task
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        details_json: match event.details.is_empty() {
            true => String::new(),
            false => Value::Object(event.details.clone()).to_string(),
        },
    }
}

pub(crate) fn materialization_to_wire(made: &StoredMaterialization) -> api::Materialization {
    api::Materialization {
        asset: made.asset.to_string(),
        batch_id: made.batch.to_string(),
        version_key: made.key.clone(),
        run_id: made.run_id.to_string(),
        create_time: Some(timestamp(made.created_at)),
        outputs: made.outputs.iter().map(version_to_wire).collect(),
        metadata: metadata_to_wire(&made.metadata),
        inputs: made.inputs.iter().map(version_to_wire).collect(),
        materialization_id: made.id.clone(),
    }
}

pub(crate) fn asset_to_wire(asset: &AssetDef) -> api::Asset {
    api::Asset {
        key: asset.key.to_string(),
        description: asset.description.clone(),
        dependencies: asset.deps.iter().map(ToString::to_string).collect(),
        lane: asset.lane.clone(),
        code_version: asset.code_version.clone(),
        datasets: asset.outputs.iter().map(ToString::to_string).collect(),
        config_schema_json: asset.config_schema.to_string(),
        group: asset.group.clone(),
    }
}

pub(crate) fn job_to_wire(job: &JobDef) -> api::Job {
    api::Job {
        name: job.name.clone(),
        description: job.description.clone(),
        assets: job.assets.iter().map(ToString::to_string).collect(),
        default_config_json: job.config.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_goes_over_the_wire_and_back() {
        let metadata = serde_json::json!({
            "rows": 7, "avg": 1.5, "name": "x", "ok": true, "bands": {"good": 2}
        });
        let metadata = metadata.as_object().unwrap().clone();
        assert_eq!(metadata_from_wire(metadata_to_wire(&metadata)), metadata);
    }

    #[test]
    fn every_run_status_has_one_of_the_wire() {
        for status in RunStatus::ALL {
            assert_eq!(run_status_from_wire(run_status(*status)), Some(*status));
            let name = format!("RUN_STATUS_{}", status.as_str());
            assert_eq!(run_status(*status).as_str_name(), name);
        }
        assert_eq!(run_status_from_wire(api::RunStatus::Unspecified), None);
    }

    #[test]
    fn times_before_1970_survive() {
        for time in [-1, 0, 1_700_000_000_123_456] {
            assert_eq!(micros(&timestamp(time)), time);
        }
    }
}
