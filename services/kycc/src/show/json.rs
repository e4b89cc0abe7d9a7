//! The same answers for programs: one JSON value on stdout, field names as in the protos.

use kycc_proto::orchestrator::v1 as orchestrator;
use kycc_proto::work::v1::{DatasetVersion, MetadataEntry, metadata_entry};
use serde_json::{Map, Value, json};

use super::{out, text};

/// Prints one JSON value, indented.
pub(crate) fn print(value: &Value) {
    out::page(&format!("{value:#}"));
}

/// Text that holds JSON, as JSON; as a string where it does not.
pub(crate) fn parsed(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

pub(crate) fn metadata(entries: &[MetadataEntry]) -> Value {
    entries
        .iter()
        .map(|entry| (entry.label.clone(), metadata_value(entry)))
        .collect::<Map<_, _>>()
        .into()
}

pub(crate) fn metadata_value(entry: &MetadataEntry) -> Value {
    match &entry.value {
        Some(metadata_entry::Value::IntValue(value)) => json!(value),
        Some(metadata_entry::Value::FloatValue(value)) => json!(value),
        Some(metadata_entry::Value::TextValue(value)) => json!(value),
        Some(metadata_entry::Value::JsonValue(value)) => parsed(value),
        Some(metadata_entry::Value::BoolValue(value)) => json!(value),
        None => Value::Null,
    }
}

pub(crate) fn datasets(versions: &[DatasetVersion]) -> Value {
    versions
        .iter()
        .map(|version| {
            json!({
                "dataset": version.dataset, "batch_id": version.batch_id, "key": version.key,
                "digest": version.digest, "rows": version.rows, "bytes": version.bytes, "files": version.files,
            })
        })
        .collect::<Vec<_>>()
        .into()
}

pub(crate) fn run(run: &orchestrator::Run) -> Value {
    json!({
        "run_id": run.run_id,
        "job": run.job,
        "batch_id": run.batch_id,
        "status": text::run_status(run.status),
        "run_config": parsed(&run.run_config_json),
        "tags": run.tags,
        "principal": run.principal,
        "definitions_hash": run.definitions_hash,
        "parent_run_id": run.parent_run_id,
        "create_time": text::rfc3339(run.create_time),
        "start_time": text::rfc3339(run.start_time),
        "end_time": text::rfc3339(run.end_time),
        "failure": run.failure.as_ref().map(failure),
        "steps": run.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &orchestrator::Step) -> Value {
    json!({
        "asset": step.asset,
        "status": text::step_status(step.status),
        "version_key": step.version_key,
        "memoized": step.memoized,
        "tasks": step.tasks,
        "tasks_done": step.tasks_done,
        "attempt": step.attempt,
        "start_time": text::rfc3339(step.start_time),
        "end_time": text::rfc3339(step.end_time),
        "failure": step.failure.as_ref().map(failure),
        "outputs": datasets(&step.outputs),
        "metadata": metadata(&step.metadata),
    })
}

fn failure(failure: &orchestrator::Failure) -> Value {
    let kind = text::failure_kind(failure.kind);
    json!({"kind": kind, "reason": failure.reason, "message": failure.message, "record": failure.record})
}

pub(crate) fn event(event: &orchestrator::RunEvent) -> Value {
    json!({
        "sequence": event.sequence,
        "time": text::rfc3339(event.time),
        "kind": event.kind,
        "asset": event.asset,
        "level": event.level().as_str_name().trim_start_matches("LOG_LEVEL_"),
        "message": event.message,
        "attempt": event.attempt,
        "details": parsed(&event.details_json),
    })
}

pub(crate) fn materialization(made: &orchestrator::Materialization) -> Value {
    json!({
        "asset": made.asset,
        "batch_id": made.batch_id,
        "version_key": made.version_key,
        "run_id": made.run_id,
        "create_time": text::rfc3339(made.create_time),
        "outputs": datasets(&made.outputs),
        "metadata": metadata(&made.metadata),
    })
}
