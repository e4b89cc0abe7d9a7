//! The transitions that people ask about, one by one.

use super::advance::advance;
use super::command::{Command, EventKind};
use super::event::{Event, Memo};
use super::failure::{Failure, FailureKind};
use super::launch::{PlannedStep, launch};
use super::state::{Metadata, Resolution, RunState, RunStatus, StepStatus, TaskStatus, Version};
use kycc_domain::ids::TaskId;

/// `first` ← `second`, and `apart` alone.
fn started() -> RunState {
    let step = |name: &str, upstream: Vec<usize>| PlannedStep {
        asset: name.parse().unwrap(),
        upstream,
        datasets: vec![name.parse().unwrap()],
        max_attempts: 2,
        max_deliveries: 2,
        carried: None,
    };
    let plan = vec![
        step("first", vec![]),
        step("second", vec![0]),
        step("apart", vec![]),
    ];
    let (state, _) = launch("r".parse().unwrap(), plan);
    next(&state, Event::Started).0
}

fn next(state: &RunState, event: Event) -> (RunState, Vec<Command>) {
    advance(state, event).unwrap()
}

fn resolved(asset: &str, shards: u32) -> Event {
    Event::StepResolved {
        asset: asset.parse().unwrap(),
        resolution: Resolution {
            key: "k1".to_owned(),
            inputs: Vec::new(),
            sources: Vec::new(),
            shards,
        },
        memo: None,
    }
}

fn version(dataset: &str) -> Version {
    Version {
        dataset: dataset.parse().unwrap(),
        batch: "B1".parse().unwrap(),
        key: "k1".to_owned(),
        digest: "00".to_owned(),
        rows: 3,
        bytes: 30,
        files: 1,
    }
}

fn succeeded(task: &str, attempt: u32, dataset: Option<&str>) -> Event {
    Event::TaskSucceeded {
        task: task.parse().unwrap(),
        attempt,
        outputs: dataset.map(version).into_iter().collect(),
        metadata: [("processing_time_seconds".to_owned(), 1.5.into())]
            .into_iter()
            .collect(),
        reused: false,
    }
}

fn failed(task: &str, attempt: u32, retryable: bool) -> Event {
    Event::TaskFailed {
        task: task.parse().unwrap(),
        attempt,
        failure: Failure {
            record: "parties.csv:7".to_owned(),
            ..Failure::new("BROKEN", "it broke")
        },
        retryable,
    }
}

fn kinds(commands: &[Command]) -> Vec<EventKind> {
    commands
        .iter()
        .filter_map(|command| match command {
            Command::Emit(entry) => Some(entry.kind),
            _ => None,
        })
        .collect()
}

#[test]
fn late_result_of_an_old_attempt_is_refused() {
    let (state, _) = next(&started(), resolved("first", 1));
    let (state, commands) = next(
        &state,
        Event::LeaseExpired {
            task: "r.0.0".parse().unwrap(),
            attempt: 1,
        },
    );
    assert!(commands.contains(&Command::Dispatch {
        task: "r.0.0".parse().unwrap(),
        attempt: 2
    }));
    let (after, commands) = next(&state, succeeded("r.0.0", 1, Some("first")));
    assert_eq!(after, state);
    assert!(matches!(commands[..], [Command::Ignored { .. }]));
    let (after, _) = next(&state, succeeded("r.0.0", 2, Some("first")));
    assert_eq!(after.steps[0].status, StepStatus::Success);
}

#[test]
fn a_result_of_an_attempt_that_was_never_made_is_an_error() {
    let (state, _) = next(&started(), resolved("first", 1));
    let error = advance(&state, succeeded("r.0.0", 2, Some("first"))).unwrap_err();
    assert!(error.to_string().contains("no attempt 2"), "{error}");
    let unknown = advance(&state, succeeded("other.0.0", 1, None)).unwrap_err();
    assert!(unknown.to_string().contains("no task other.0.0"));
}

#[test]
fn a_failed_step_skips_what_needs_it_and_the_rest_goes_on() {
    let (state, _) = next(&started(), resolved("first", 1));
    let (state, commands) = next(&state, failed("r.0.0", 1, false));
    assert_eq!(
        kinds(&commands),
        [EventKind::StepFailure, EventKind::StepSkipped]
    );
    assert_eq!(state.status, RunStatus::Started);
    let (state, _) = next(&state, resolved("apart", 1));
    let (state, commands) = next(&state, succeeded("r.2.0", 1, Some("apart")));
    assert_eq!(state.status, RunStatus::Failure);
    assert_eq!(kinds(&commands).last(), Some(&EventKind::RunFailure));
    let failure = state.failure.unwrap();
    assert_eq!(failure.message, "step first failed: it broke");
    assert_eq!(
        (failure.reason.as_str(), failure.record.as_str()),
        ("BROKEN", "parties.csv:7")
    );
}

#[test]
fn a_retryable_failure_waits_and_then_counts_down_to_the_last_attempt() {
    let (state, _) = next(&started(), resolved("first", 1));
    let (state, commands) = next(&state, failed("r.0.0", 1, true));
    let task: TaskId = "r.0.0".parse().unwrap();
    assert!(commands.contains(&Command::RetryAfter {
        task: task.clone(),
        attempt: 2,
        rank: 0
    }));
    let due = Event::RetryDue { task, attempt: 2 };
    let (state, commands) = next(&state, due.clone());
    assert!(matches!(
        commands[..],
        [Command::Dispatch { attempt: 2, .. }]
    ));
    let (same, _) = next(&state, due);
    assert_eq!(same, state);
    let (state, _) = next(&state, failed("r.0.0", 2, true));
    let failure = state.steps[0].failure.as_ref().unwrap();
    assert_eq!(failure.message, "it broke (attempt 2 of 2)");
}

#[test]
fn a_task_that_always_kills_its_worker_becomes_a_dead_letter_and_fails_its_step() {
    let (state, _) = next(&started(), resolved("first", 1));
    let task: TaskId = "r.0.0".parse().unwrap();
    let expired = |attempt| Event::LeaseExpired {
        task: task.clone(),
        attempt,
    };
    let (state, commands) = next(&state, expired(1));
    assert!(!commands.iter().any(is_letter));
    let (state, commands) = next(&state, expired(2));
    let letter = commands.iter().find(|c| is_letter(c)).unwrap();
    let Command::DeadLetter {
        asset,
        attempt,
        deliveries,
        ..
    } = letter
    else {
        unreachable!()
    };
    assert_eq!((asset.as_str(), *attempt, *deliveries), ("first", 2, 2));
    let failure = state.steps[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::TaskDeadLettered);
    assert_eq!(failure.reason, "TASK_DEAD_LETTERED");
    assert!(failure.message.contains("task r.0.0 of first"));
}

fn is_letter(command: &Command) -> bool {
    matches!(command, Command::DeadLetter { .. })
}

#[test]
fn lost_workers_and_failures_are_counted_apart() {
    let (state, _) = next(&started(), resolved("first", 1));
    let task: TaskId = "r.0.0".parse().unwrap();
    let (state, _) = next(&state, failed("r.0.0", 1, true));
    let due = Event::RetryDue {
        task: task.clone(),
        attempt: 2,
    };
    let (state, _) = next(&state, due);
    // One failure and one lost worker: neither limit of two is reached.
    let (state, commands) = next(&state, Event::LeaseExpired { task, attempt: 2 });
    assert!(matches!(
        commands[..],
        [Command::Emit(_), Command::Dispatch { attempt: 3, .. }]
    ));
    let (state, _) = next(&state, failed("r.0.0", 3, true));
    let failure = state.steps[0].failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::StepFailure);
    assert_eq!(failure.message, "it broke (attempt 2 of 2)");
}

#[test]
fn a_worker_that_is_stopped_hands_its_task_back_however_often() {
    let (mut state, _) = next(&started(), resolved("first", 1));
    let task: TaskId = "r.0.0".parse().unwrap();
    // More often than a step may fail or lose its worker.
    for attempt in 1..=5 {
        let task = task.clone();
        let (after, commands) = next(&state, Event::TaskCancelled { task, attempt });
        assert!(matches!(
            commands[..],
            [Command::Emit(_), Command::Dispatch { attempt: again, .. }] if again == attempt + 1
        ));
        state = after;
    }
    let (state, _) = next(&state, succeeded("r.0.0", 6, Some("first")));
    assert_eq!(state.steps[0].status, StepStatus::Success);
}

#[test]
fn a_step_that_cannot_be_resolved_failed_for_its_inputs_unless_the_resolver_knows_better() {
    let failed = |failure| {
        let asset = "first".parse().unwrap();
        let event = Event::StepResolveFailed { asset, failure };
        next(&started(), event).0.steps[0].failure.clone().unwrap()
    };
    let missing = failed(Failure::new("INPUT_MISSING", "nothing there"));
    assert_eq!(missing.kind, FailureKind::Inputs);
    let unknown = Failure::new("ASSET_UNKNOWN", "none").of_kind(FailureKind::Definitions);
    assert_eq!(failed(unknown).kind, FailureKind::Definitions);
}

#[test]
fn a_known_version_is_not_computed_again() {
    let event = Event::StepResolved {
        asset: "first".parse().unwrap(),
        resolution: Resolution {
            key: "k1".to_owned(),
            inputs: Vec::new(),
            sources: Vec::new(),
            shards: 4,
        },
        memo: Some(Memo {
            outputs: vec![version("first")],
            metadata: Metadata::new(),
        }),
    };
    let (state, commands) = next(&started(), event);
    assert!(state.steps[0].memoized && state.steps[0].tasks.is_empty());
    assert_eq!(state.steps[0].status, StepStatus::Success);
    assert!(
        !commands
            .iter()
            .any(|c| matches!(c, Command::Dispatch { .. }))
    );
    assert!(commands.contains(&Command::ResolveStep {
        asset: "second".parse().unwrap()
    }));
}

#[test]
fn a_sharded_step_ends_with_its_last_shard_and_sums_their_time() {
    let (state, commands) = next(&started(), resolved("first", 2));
    let pushed = commands
        .iter()
        .filter(|c| matches!(c, Command::Dispatch { .. }));
    assert_eq!(pushed.count(), 2);
    let (state, _) = next(&state, succeeded("r.0.1", 1, Some("first")));
    assert_eq!(state.steps[0].status, StepStatus::Running);
    let (state, commands) = next(&state, succeeded("r.0.0", 1, None));
    assert_eq!(state.steps[0].status, StepStatus::Success);
    assert_eq!(state.steps[0].metadata["processing_time_seconds"], 3.0);
    assert!(
        commands
            .iter()
            .any(|c| matches!(c, Command::Materialize { .. }))
    );
}

#[test]
fn a_step_whose_dataset_is_nowhere_complete_fails() {
    let (state, _) = next(&started(), resolved("first", 1));
    let (state, _) = next(&state, succeeded("r.0.0", 1, None));
    assert_eq!(
        state.steps[0].failure.as_ref().unwrap().reason,
        "INCOMPLETE_OUTPUT"
    );
}

#[test]
fn cancel_stops_what_waits_at_once_and_tells_what_runs() {
    let (state, _) = next(&started(), resolved("first", 1));
    let cancel = || Event::CancelRequested { by: "ann".into() };
    let (state, commands) = next(&state, cancel());
    assert_eq!(state.status, RunStatus::Canceling);
    assert_eq!(state.steps[1].status, StepStatus::Canceled);
    assert!(commands.contains(&Command::CancelTasks {
        tasks: vec!["r.0.0".parse().unwrap()]
    }));
    assert_eq!(next(&state, cancel()).0, state);
    let (state, _) = next(&state, failed("r.0.0", 1, true));
    assert_eq!(state.status, RunStatus::Canceled);
    assert_eq!(state.steps[0].tasks[0].status, TaskStatus::Cancelled);
}

#[test]
fn a_run_that_waits_for_a_slot_is_canceled_at_once() {
    let (state, _) = launch("r".parse().unwrap(), Vec::new());
    let (state, _) = next(&state, Event::CancelRequested { by: "ann".into() });
    assert_eq!(state.status, RunStatus::Canceled);
}

#[test]
fn tasks_that_do_not_stop_are_given_up_after_the_timeout() {
    let (state, _) = next(&started(), resolved("first", 1));
    let (state, _) = next(
        &state,
        Event::RunTimedOut {
            failure: Failure::plain(FailureKind::MaxRuntimeExceeded, "longer than 5 s"),
        },
    );
    let (state, _) = next(&state, Event::CancelTimedOut);
    assert_eq!(state.status, RunStatus::Failure);
    let failure = state.failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::MaxRuntimeExceeded);
    // Fenced: what the tasks still answer changes nothing.
    let (after, commands) = next(&state, succeeded("r.0.0", 1, Some("first")));
    assert_eq!(after, state);
    assert!(matches!(commands[..], [Command::Ignored { .. }]));
}

#[test]
fn a_canceled_run_says_which_tasks_did_not_stop() {
    let (state, _) = next(&started(), resolved("first", 2));
    let (state, _) = next(&state, Event::CancelRequested { by: "ann".into() });
    let (state, commands) = next(&state, Event::CancelTimedOut);
    assert_eq!(state.status, RunStatus::Canceled);
    let failure = state.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::CancelTimeout);
    assert!(failure.message.starts_with("2 task(s) of first "));
    let Some(Command::Emit(last)) = commands.last() else {
        panic!("{commands:?}")
    };
    assert!(last.message.contains(&failure.message), "{}", last.message);
}
