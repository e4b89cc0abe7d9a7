//! What goes into the store and what comes out of it. Times are microseconds UTC.

use std::collections::BTreeMap;
use std::sync::Arc;

use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, BatchId, RunId, TaskId};
use serde_json::Value;

use super::dead_letters::DeadLetter;
use crate::core::{EventKind, Level, LogEntry, Metadata, RunState, RunStatus, SlotRun, Version};

/// What never changes about a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunFacts {
    pub run_id: RunId,
    /// Empty: a selection of assets.
    pub job: String,
    pub batch: BatchId,
    /// Complete, with defaults.
    pub config: Value,
    pub tags: BTreeMap<String, String>,
    /// Dataset name to URI: files that stand in for datasets.
    pub inputs: BTreeMap<String, String>,
    pub principal: String,
    pub definitions_hash: String,
    pub parent: Option<RunId>,
    pub traceparent: String,
    pub priority: i32,
    pub created_at: i64,
}

impl RunFacts {
    /// The run as the queue sees it.
    pub(crate) fn slot(&self) -> SlotRun {
        SlotRun {
            run_id: self.run_id.clone(),
            tags: self.tags.clone(),
            priority: self.priority,
            created_at: self.created_at,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredRun {
    pub facts: Arc<RunFacts>,
    pub state: RunState,
    pub times: Times,
    /// Of each step, in the order of the state's.
    pub step_times: Vec<Times>,
    pub last_sequence: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    pub facts: RunFacts,
    pub state: RunState,
    pub log: Vec<LogEntry>,
    /// Empty: not idempotent.
    pub request_id: String,
    /// Of everything that was asked for, to tell a repeat from a mistake.
    pub fingerprint: String,
    pub definitions: String,
    /// The dead letter that this run does again.
    pub replays: Option<String>,
    /// What the audit log says of it, if it is written.
    pub audit: Deed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Created {
    New,
    /// The same request made this run before.
    Before(RunId),
    /// The request id belongs to another request, which made this run.
    Conflict(RunId),
    /// The dead letter was replayed before, by this run.
    Replayed(RunId),
}

/// Empty filters match all.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunFilter {
    pub job: String,
    pub batch: String,
    pub status: Option<RunStatus>,
}

/// What one turn of the engine changes about one run.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub run_id: RunId,
    pub batch: BatchId,
    pub at: i64,
    /// None: only the log grows.
    pub moved: Option<Move>,
    pub log: Vec<Logged>,
    pub materialized: Vec<NewMaterialization>,
    /// Earlier materializations that are the current ones again.
    pub reused: Vec<(AssetKey, String)>,
    pub attempts_ended: Vec<AttemptEnd>,
    pub dead_letters: Vec<DeadLetter>,
    /// What somebody asked for that this carries out, for the audit log.
    pub audit: Vec<Deed>,
}

impl Change {
    /// Whether it may make other versions the current ones.
    pub(crate) fn publishes(&self) -> bool {
        !self.materialized.is_empty() || !self.reused.is_empty()
    }
}

/// What a turn's changes came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The number of the last event of each change's run.
    pub last_events: Vec<u64>,
    /// Position of the last publication among them, if there is one.
    pub published: Option<u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub before: RunState,
    pub after: RunState,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logged {
    pub at: i64,
    pub entry: LogEntry,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewMaterialization {
    /// Ordered by time.
    pub id: String,
    pub asset: AssetKey,
    pub key: String,
    pub inputs: Vec<Version>,
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
}

/// What a materialization is known by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VersionOf {
    pub asset: AssetKey,
    pub batch: BatchId,
    pub key: String,
}

/// How an attempt ended, as its worker or the lease told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptEnd {
    pub task: TaskId,
    pub attempt: u32,
    pub worker: String,
    pub started_at: Option<i64>,
    pub ended_at: i64,
    /// SUCCEEDED, CANCELLED or the reason of the failure.
    pub outcome: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredEvent {
    pub sequence: u64,
    pub at: i64,
    pub kind: EventKind,
    pub asset: Option<AssetKey>,
    pub level: Level,
    pub message: String,
    pub attempt: u32,
    pub task: Option<TaskId>,
    pub details: Metadata,
}

/// Which events of the feed; empty filters match all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FeedFilter {
    /// The last position that is looked at.
    pub up_to: i64,
    pub job: String,
    pub batch: String,
    pub asset: String,
    pub kinds: Vec<EventKind>,
}

/// An event in the order of all runs' events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeedEvent {
    pub position: i64,
    pub run_id: RunId,
    pub job: String,
    pub batch: BatchId,
    pub event: StoredEvent,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredMaterialization {
    pub id: String,
    pub asset: AssetKey,
    pub batch: BatchId,
    pub key: String,
    pub run_id: RunId,
    pub created_at: i64,
    /// Empty also where it was written before these were kept.
    pub inputs: Vec<Version>,
    pub outputs: Vec<Version>,
    pub metadata: Metadata,
}
