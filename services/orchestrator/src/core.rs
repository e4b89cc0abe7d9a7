//! What a run is and how it moves: pure functions and data, no clock, no I/O, no async.
//!
//! ```text
//!  QUEUED ──Started──▶ STARTING ──first step resolved──▶ STARTED ──all steps ended──▶ SUCCESS | FAILURE
//!    │                    │                                 │
//!    │ cancel             └──────── cancel, timeout ────────┴──▶ CANCELING ──last task ended──▶ CANCELED | FAILURE
//!    └──▶ CANCELED
//! ```

mod advance;
mod backoff;
mod command;
mod event;
mod failure;
#[cfg(test)]
mod invariants;
mod key;
mod launch;
mod limits;
mod recover;
mod settle;
#[cfg(test)]
mod simulation;
mod slots;
mod state;
mod step;
mod suggest;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use advance::advance;
pub(crate) use backoff::{RetryPolicy, backoff};
pub(crate) use command::{Command, EventKind, Level, LogEntry};
pub(crate) use event::{Event, Memo};
pub(crate) use failure::{Failure, FailureKind};
pub(crate) use key::{KeyInputs, canonical_json, version_key};
pub(crate) use launch::{CarriedStep, PlannedStep, launch};
pub(crate) use limits::{MAX_RUNTIME, max_runtime};
pub(crate) use recover::recover;
pub(crate) use slots::{
    QueueLimits, SlotRun, TagValue, UNLIMITED, WaitsFor, grant, turns, under_limits,
};
pub(crate) use state::{
    Metadata, Resolution, RunState, RunStatus, Source, StepState, StepStatus, TaskState,
    TaskStatus, Version,
};
pub(crate) use suggest::suggest;
