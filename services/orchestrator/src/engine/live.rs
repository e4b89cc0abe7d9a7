//! A run that has not ended, in memory: a copy of what the store says, and what only matters while it lives.

use std::collections::HashMap;
use std::sync::Arc;

use kycc_domain::ids::{AssetKey, TaskId};
use kycc_proto::work::v1::TaskLog;

use crate::core::{EventKind, Level, LogEntry, RunState, RunStatus, SlotRun};
use crate::definitions::Definitions;
use crate::store::{Logged, RunFacts};
use crate::wire;

/// Lines of one step in the log; talk beyond it would bury the run's record.
const MAX_LINES: u32 = 10_000;

#[derive(Debug)]
pub(super) struct Live {
    pub(super) facts: Arc<RunFacts>,
    pub(super) state: RunState,
    /// What the run was started with, whatever was loaded since.
    pub(super) definitions: Arc<Definitions>,
    /// When it got its slot.
    pub(super) started_at: Option<i64>,
    /// When it began to be canceled, as far as this process knows.
    pub(super) canceling_at: Option<i64>,
    /// Number of the last event that was written, as far as this process knows.
    pub(super) last_sequence: u64,
    lines: HashMap<AssetKey, u32>,
    progress: HashMap<TaskId, (AssetKey, u64, u64)>,
}

impl Live {
    pub(super) fn new(
        facts: Arc<RunFacts>,
        state: RunState,
        definitions: Arc<Definitions>,
        started_at: Option<i64>,
        now: i64,
    ) -> Self {
        let canceling = state.status == RunStatus::Canceling;
        Self {
            facts,
            state,
            definitions,
            started_at,
            canceling_at: canceling.then_some(now),
            last_sequence: 0,
            lines: HashMap::new(),
            progress: HashMap::new(),
        }
    }

    pub(super) fn install(&mut self, state: RunState, now: i64) {
        if self.state.status == RunStatus::Queued && state.status.holds_slot() {
            self.started_at = Some(now);
        }
        if state.status == RunStatus::Canceling {
            self.canceling_at.get_or_insert(now);
        }
        self.state = state;
    }

    pub(super) fn slot(&self) -> SlotRun {
        self.facts.slot()
    }

    /// The entry for a line that a step wrote; none past the limit, of which the last line says so.
    pub(super) fn line(&mut self, log: &TaskLog) -> Option<Logged> {
        let asset: AssetKey = log.asset.parse().ok()?;
        self.state.step_position(&asset)?;
        let written = self.lines.entry(asset.clone()).or_default();
        *written += 1;
        let (level, message) = match *written {
            n if n < MAX_LINES => (wire::level_from_wire(log.level()), log.message.clone()),
            MAX_LINES => (
                Level::Warning,
                format!("{asset} wrote more than {MAX_LINES} lines; the rest is left out"),
            ),
            _ => return None,
        };
        let mut entry = LogEntry::of_step(EventKind::Log, level, &asset, message);
        if let Ok(task) = log.task_id.parse() {
            entry = entry.of_task(&task, log.attempt);
        }
        let at = log.time.as_ref().map_or(0, wire::micros);
        Some(Logged { at, entry })
    }

    /// Work done and to do of the whole step, after one of its tasks told its own.
    pub(super) fn progress(&mut self, log: &TaskLog) -> Option<(AssetKey, u64, u64)> {
        let task: TaskId = log.task_id.parse().ok()?;
        let asset: AssetKey = log.asset.parse().ok()?;
        let told = (asset.clone(), log.progress_done, log.progress_total);
        self.progress.insert(task, told);
        let shards = self.state.step(&asset)?.tasks.len() as u64;
        let of_step = self.progress.values().filter(|(a, _, _)| *a == asset);
        let (known, done, total) = of_step.fold((0, 0, 0), |(n, d, t), (_, done, total)| {
            (n + 1, d + done, t + total)
        });
        // Shards that have said nothing yet are as large as the rest.
        let total = total + total / u64::max(known, 1) * shards.saturating_sub(known);
        Some((asset, done, total))
    }
}
