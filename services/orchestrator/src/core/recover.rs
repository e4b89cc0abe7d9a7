//! What must be asked for again when the process that asked may be gone: everything that the state says is under way.
//!
//! Asking twice is harmless: a task delivered twice gives equal outputs, and the first result of an attempt counts.

use super::command::Command;
use super::state::{RunState, RunStatus, StepStatus, TaskStatus};

pub(crate) fn recover(state: &RunState) -> Vec<Command> {
    if state.status.is_terminal() || state.status == RunStatus::Queued {
        return Vec::new();
    }
    let mut commands = Vec::new();
    for step in &state.steps {
        if step.status == StepStatus::Resolving {
            let asset = step.asset.clone();
            commands.push(Command::ResolveStep { asset });
        }
    }
    let mut told = Vec::new();
    for (_, task) in state.tasks() {
        let (id, attempt) = (task.id.clone(), task.attempt);
        match task.status {
            TaskStatus::Dispatched if state.status == RunStatus::Canceling => told.push(id),
            TaskStatus::Dispatched => commands.push(Command::Dispatch { task: id, attempt }),
            TaskStatus::Waiting => commands.push(Command::RetryAfter {
                task: id,
                attempt,
                rank: task.retry_rank(),
            }),
            _ => {}
        }
    }
    if !told.is_empty() {
        commands.push(Command::CancelTasks { tasks: told });
    }
    commands
}
