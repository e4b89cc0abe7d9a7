//! What holds in every state and across every transition, as named functions that tests call after each event.

use super::command::EventKind;
use super::event::Event;
use super::failure::FailureKind;
use super::simulation::Stored;
use super::slots::{QueueLimits, SlotRun, UNLIMITED};
use super::state::{RunState, RunStatus, StepState, StepStatus, TaskStatus};

type Check = (&'static str, fn(&RunState) -> bool);
type TransitionCheck = (&'static str, fn(&RunState, &RunState) -> bool);
type RecordCheck = (&'static str, fn(&Stored) -> bool);

const STATE: &[Check] = &[
    (
        "an_ended_run_has_only_ended_steps",
        ended_run_has_only_ended_steps,
    ),
    (
        "an_ended_step_has_only_ended_tasks",
        ended_step_has_only_ended_tasks,
    ),
    (
        "no_step_begins_before_its_upstream_succeeded",
        no_step_before_upstream,
    ),
    ("a_running_step_has_open_tasks", running_step_has_open_tasks),
    (
        "a_successful_step_has_its_outputs",
        successful_step_has_outputs,
    ),
    (
        "a_skipped_step_has_an_upstream_that_failed",
        skipped_for_a_reason,
    ),
    ("attempts_stay_within_their_limit", attempts_within_limit),
    (
        "a_successful_run_has_only_successful_steps",
        success_means_all,
    ),
    ("a_failed_run_says_why", failure_is_named),
    (
        "nothing_runs_before_the_run_has_a_slot",
        queued_runs_nothing,
    ),
];

const TRANSITIONS: &[TransitionCheck] = &[
    ("terminal_states_absorb", terminal_absorbs),
    (
        "no_task_succeeds_twice_or_goes_back",
        tasks_only_move_forward,
    ),
];

pub(super) fn assert_state(state: &RunState) {
    for (name, holds) in STATE {
        assert!(holds(state), "{name} does not hold: {state:#?}");
    }
}

pub(super) fn assert_transition(before: &RunState, after: &RunState) {
    for (name, holds) in TRANSITIONS {
        assert!(
            holds(before, after),
            "{name} does not hold: {before:#?} -> {after:#?}"
        );
    }
    assert_state(after);
}

/// What a run's record, as the store has it, must be.
const RECORD: &[RecordCheck] = &[
    ("events_are_numbered_without_gaps", numbers_have_no_gaps),
    ("no_step_is_materialized_twice", each_step_materialized_once),
    ("no_ending_is_told_twice", endings_told_once),
    (
        "a_dead_letter_belongs_to_a_task_that_cost_its_workers",
        letters_are_earned,
    ),
];

pub(super) fn assert_record(run: &Stored) {
    for (name, holds) in RECORD {
        assert!(holds(run), "{name} does not hold: {run:#?}");
    }
}

/// Counted anew from those who hold a slot.
pub(super) fn assert_slots(limits: &QueueLimits, holding: &[&SlotRun]) {
    let most = limits.max_concurrent_runs;
    assert!(
        most == UNLIMITED || holding.len() as i64 <= most,
        "more runs hold a slot than there are: {holding:#?}"
    );
    for limit in &limits.tag_concurrency_limits {
        assert!(limit.value.is_none(), "simulated limits are of a whole tag");
        let tagged = holding
            .iter()
            .filter(|run| run.tags.contains_key(&limit.key));
        assert!(
            tagged.count() <= limit.limit as usize,
            "a tag limit is exceeded: {holding:#?}"
        );
    }
}

/// Only what is said of the newest attempt, while it is open, moves its task.
pub(super) fn assert_caused(before: &RunState, event: &Event, after: &RunState) {
    let (task, attempt) = match event {
        Event::TaskSucceeded { task, attempt, .. }
        | Event::TaskFailed { task, attempt, .. }
        | Event::TaskCancelled { task, attempt }
        | Event::LeaseExpired { task, attempt } => (task, *attempt),
        _ => return,
    };
    let newest = before.tasks().find(|(_, known)| &known.id == task);
    let counts = newest.is_some_and(|(_, known)| {
        known.attempt == attempt && known.status == TaskStatus::Dispatched
    });
    assert!(
        counts || before == after,
        "only_the_newest_attempt_counts does not hold: {event:?} moved {before:#?}"
    );
}

fn numbers_have_no_gaps(run: &Stored) -> bool {
    let numbers = run.log.iter().map(|(number, _)| *number);
    numbers.eq(1..=run.last_sequence)
}

fn each_step_materialized_once(run: &Stored) -> bool {
    let mut steps = run.state.steps.iter();
    steps.all(|step| {
        let made = run
            .materialized
            .iter()
            .filter(|asset| **asset == step.asset);
        let wanted = step.status == StepStatus::Success && !step.memoized;
        made.count() == usize::from(wanted)
    })
}

fn endings_told_once(run: &Stored) -> bool {
    let told = |kinds: &[EventKind], asset| {
        let counts = kinds.iter().map(|kind| run.logged(*kind, asset));
        counts.sum::<usize>()
    };
    let of_steps = [
        EventKind::StepSuccess,
        EventKind::StepFailure,
        EventKind::StepSkipped,
        EventKind::StepCanceled,
    ];
    let of_run = [
        EventKind::RunSuccess,
        EventKind::RunFailure,
        EventKind::RunCanceled,
    ];
    let mut steps = run.state.steps.iter();
    let each = steps
        .all(|step| told(&of_steps, Some(&step.asset)) == usize::from(step.status.is_terminal()));
    each && told(&of_run, None) == usize::from(run.state.status.is_terminal())
}

fn letters_are_earned(run: &Stored) -> bool {
    let earned = run.state.tasks().filter(|(step, task)| {
        let kind = step.failure.as_ref().map(|failure| failure.kind);
        kind == Some(FailureKind::TaskDeadLettered)
            && task.status == TaskStatus::Failed
            && task.losses == step.max_deliveries
    });
    let mut earned: Vec<_> = earned.map(|(_, task)| &task.id).collect();
    let mut kept: Vec<_> = run.dead_letters.iter().collect();
    earned.sort();
    kept.sort();
    earned == kept
}

fn steps_with(state: &RunState, status: StepStatus) -> impl Iterator<Item = &StepState> {
    state.steps.iter().filter(move |s| s.status == status)
}

fn ended_run_has_only_ended_steps(state: &RunState) -> bool {
    !state.status.is_terminal() || state.steps.iter().all(|s| s.status.is_terminal())
}

fn ended_step_has_only_ended_tasks(state: &RunState) -> bool {
    let mut ended = state.steps.iter().filter(|s| s.status.is_terminal());
    ended.all(|s| s.tasks.iter().all(|t| t.status.is_terminal()))
}

fn no_step_before_upstream(state: &RunState) -> bool {
    let begun = state.steps.iter().filter(|s| {
        matches!(
            s.status,
            StepStatus::Resolving | StepStatus::Running | StepStatus::Success | StepStatus::Failure
        )
    });
    begun
        .flat_map(|s| &s.upstream)
        .all(|u| state.steps[*u].status == StepStatus::Success)
}

fn running_step_has_open_tasks(state: &RunState) -> bool {
    steps_with(state, StepStatus::Running)
        .all(|s| s.tasks.iter().any(|t| !t.status.is_terminal()) && s.resolution.is_some())
}

fn successful_step_has_outputs(state: &RunState) -> bool {
    steps_with(state, StepStatus::Success).all(|s| {
        let complete = s
            .datasets
            .iter()
            .all(|d| s.outputs.iter().any(|v| &v.dataset == d));
        complete && s.tasks.iter().all(|t| t.status == TaskStatus::Succeeded)
    })
}

fn skipped_for_a_reason(state: &RunState) -> bool {
    steps_with(state, StepStatus::Skipped).all(|s| {
        s.upstream.iter().any(|u| {
            matches!(
                state.steps[*u].status,
                StepStatus::Failure | StepStatus::Skipped
            )
        })
    })
}

fn attempts_within_limit(state: &RunState) -> bool {
    state.tasks().all(|(step, task)| {
        let within = task.failures <= step.max_attempts && task.losses <= step.max_deliveries;
        // Every attempt but the one that is open ended in a failure, with its worker, or was handed back.
        let ended = task.failures + task.losses + task.hand_backs;
        within && (1..=ended + 1).contains(&task.attempt)
    })
}

fn success_means_all(state: &RunState) -> bool {
    state.status != RunStatus::Success
        || state.steps.iter().all(|s| s.status == StepStatus::Success)
}

fn failure_is_named(state: &RunState) -> bool {
    let run = state.status != RunStatus::Failure || state.failure.is_some();
    run && steps_with(state, StepStatus::Failure).all(|s| s.failure.is_some())
}

fn queued_runs_nothing(state: &RunState) -> bool {
    state.status != RunStatus::Queued || state.tasks().next().is_none()
}

fn terminal_absorbs(before: &RunState, after: &RunState) -> bool {
    let run = !before.status.is_terminal() || before == after;
    let mut steps = before.steps.iter().zip(&after.steps);
    run && steps.all(|(b, a)| !b.status.is_terminal() || b == a)
}

fn tasks_only_move_forward(before: &RunState, after: &RunState) -> bool {
    before.tasks().all(|(_, old)| {
        after.tasks().any(|(_, new)| {
            let same = new.id == old.id && new.attempt >= old.attempt;
            same && (!old.status.is_terminal() || new == old)
        })
    })
}
