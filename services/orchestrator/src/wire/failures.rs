//! Failures and dead letters, from the orchestrator's own types to protobuf.

use kycc_proto::orchestrator::v1 as api;
use kycc_proto::work::v1::Task;
use prost::Message as _;

use super::timestamp;
use crate::core::{Failure, FailureKind};
use crate::store::DeadLetter;

fn kind(kind: FailureKind) -> api::FailureKind {
    match kind {
        FailureKind::StepFailure => api::FailureKind::StepFailure,
        FailureKind::Inputs => api::FailureKind::Inputs,
        FailureKind::Definitions => api::FailureKind::Definitions,
        FailureKind::StartTimeout => api::FailureKind::StartTimeout,
        FailureKind::MaxRuntimeExceeded => api::FailureKind::MaxRuntimeExceeded,
        FailureKind::CancelTimeout => api::FailureKind::CancelTimeout,
        FailureKind::WorkerLost => api::FailureKind::WorkerLost,
        FailureKind::TaskDeadLettered => api::FailureKind::TaskDeadLettered,
    }
}

pub(super) fn failure(failure: &Failure) -> api::Failure {
    api::Failure {
        reason: failure.reason.clone(),
        message: failure.message.clone(),
        record: failure.record.clone(),
        kind: kind(failure.kind).into(),
    }
}

/// `with_task`: also what the workers were given; absent where that cannot be read any more.
pub(crate) fn dead_letter_to_wire(letter: &DeadLetter, with_task: bool) -> api::DeadLetter {
    let replay = letter.replay.as_ref();
    let task = with_task.then(|| Task::decode(letter.message.as_slice()).ok());
    api::DeadLetter {
        dead_letter_id: letter.id.clone(),
        task_id: letter.task.to_string(),
        run_id: letter.run_id.to_string(),
        asset: letter.asset.to_string(),
        lane: letter.lane.clone(),
        deliveries: letter.deliveries,
        last_error: letter.last_error.clone(),
        worker_id: letter.worker.clone(),
        create_time: Some(timestamp(letter.created_at)),
        replay_run_id: replay.map(|r| r.run_id.to_string()).unwrap_or_default(),
        replayed_by: replay.map(|r| r.by.clone()).unwrap_or_default(),
        replay_time: replay.map(|r| timestamp(r.at)),
        task: task.flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_one_of_the_wire() {
        for own in FailureKind::ALL {
            let name = format!("FAILURE_KIND_{}", own.as_str());
            assert_eq!(kind(own).as_str_name(), name);
        }
    }
}
