//! The first state of a run: its steps in order, those that a retry carries over already done.

use kycc_domain::ids::{AssetKey, DatasetName, RunId};

use super::command::{Command, EventKind, Level, LogEntry};
use super::state::{Metadata, Resolution, RunState, RunStatus, StepState, StepStatus, Version};

/// A step as the definitions describe it. `upstream` are positions in the same list, all smaller than its own.
#[derive(Debug, Clone)]
pub(crate) struct PlannedStep {
    pub asset: AssetKey,
    pub upstream: Vec<usize>,
    pub datasets: Vec<DatasetName>,
    pub max_attempts: u32,
    pub max_deliveries: u32,
    /// The result of the same step in the run that this one retries.
    pub carried: Option<CarriedStep>,
}

#[derive(Debug, Clone)]
pub(crate) struct CarriedStep {
    pub resolution: Option<Resolution>,
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
}

/// QUEUED, with every step waiting but those carried over.
pub(crate) fn launch(run_id: RunId, plan: Vec<PlannedStep>) -> (RunState, Vec<Command>) {
    let carried = plan.iter().filter(|step| step.carried.is_some()).count();
    let steps: Vec<StepState> = plan.into_iter().map(step_state).collect();
    let message = match carried {
        0 => format!("run of {} steps queued", steps.len()),
        n => format!(
            "run of {} steps queued, {n} of them carried over",
            steps.len()
        ),
    };
    let state = RunState {
        run_id,
        status: RunStatus::Queued,
        steps,
        failure: None,
        timed_out: false,
    };
    let queued = LogEntry::of_run(EventKind::RunQueued, Level::Info, message);
    (state, vec![Command::Emit(queued)])
}

fn step_state(planned: PlannedStep) -> StepState {
    let mut step = StepState {
        asset: planned.asset,
        upstream: planned.upstream,
        datasets: planned.datasets,
        max_attempts: planned.max_attempts.max(1),
        max_deliveries: planned.max_deliveries.max(1),
        status: StepStatus::Pending,
        memoized: false,
        resolution: None,
        tasks: Vec::new(),
        outputs: Vec::new(),
        metadata: Metadata::new(),
        failure: None,
    };
    if let Some(carried) = planned.carried {
        step.status = StepStatus::Success;
        step.memoized = true;
        step.resolution = carried.resolution;
        step.outputs = carried.outputs;
        step.metadata = carried.metadata;
    }
    step
}
