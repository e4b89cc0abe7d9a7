//! The state store: the truth, and the fence. Checks the invariants at every commit.

use kycc_domain::ids::{AssetKey, TaskId};

use super::super::command::{EventKind, LogEntry};
use super::super::event::Event;
use super::super::invariants;
use super::super::slots::{QueueLimits, SlotRun};
use super::super::state::RunState;

/// What the store knows of one run.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) slot: SlotRun,
    pub(crate) state: RunState,
    /// Numbers as given out, and what happened.
    pub(crate) log: Vec<(u64, LogEntry)>,
    pub(crate) last_sequence: u64,
    pub(crate) materialized: Vec<AssetKey>,
    pub(crate) dead_letters: Vec<TaskId>,
}

/// What one turn changes about one run.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) run: usize,
    pub(super) before: RunState,
    pub(super) after: RunState,
    /// State by state, for the checks.
    pub(super) path: Vec<(RunState, Event, RunState)>,
    pub(super) log: Vec<LogEntry>,
    pub(super) materialized: Vec<AssetKey>,
    pub(super) dead_letters: Vec<TaskId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Not written, and told so.
    Before,
    /// Written, and told that it was not.
    After,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another leads.
    Deposed,
    /// Perhaps written, perhaps not.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) epoch: u64,
    pub(super) limits: QueueLimits,
    pub(super) runs: Vec<Stored>,
}

impl Store {
    pub(super) fn create(&mut self, slot: SlotRun, state: RunState, log: Vec<LogEntry>) {
        let mut stored = Stored {
            slot,
            state,
            log: Vec::new(),
            last_sequence: 0,
            materialized: Vec::new(),
            dead_letters: Vec::new(),
        };
        stored.append(log);
        self.runs.push(stored);
    }

    /// All of the changes or none, and none from somebody who leads no more.
    pub(super) fn apply(
        &mut self,
        epoch: u64,
        changes: &[Change],
        fault: Fault,
    ) -> Result<(), Refused> {
        if epoch != self.epoch {
            return Err(Refused::Deposed);
        }
        if fault == Fault::Before {
            return Err(Refused::Unknown);
        }
        for change in changes {
            let stored = &mut self.runs[change.run];
            assert_eq!(
                stored.state, change.before,
                "a leader's memory differs from the store"
            );
            for (before, event, after) in &change.path {
                invariants::assert_transition(before, after);
                invariants::assert_caused(before, event, after);
            }
            stored.state = change.after.clone();
            stored.append(change.log.clone());
            stored.materialized.extend(change.materialized.clone());
            stored.dead_letters.extend(change.dead_letters.clone());
            invariants::assert_record(stored);
        }
        let runs = self.runs.iter().filter(|run| run.state.status.holds_slot());
        let holding: Vec<&SlotRun> = runs.map(|run| &run.slot).collect();
        invariants::assert_slots(&self.limits, &holding);
        match fault {
            Fault::After => Err(Refused::Unknown),
            _ => Ok(()),
        }
    }
}

impl Stored {
    fn append(&mut self, log: Vec<LogEntry>) {
        for entry in log {
            self.last_sequence += 1;
            self.log.push((self.last_sequence, entry));
        }
    }

    pub(crate) fn logged(&self, kind: EventKind, asset: Option<&AssetKey>) -> usize {
        let mut found = 0;
        for (_, entry) in &self.log {
            if entry.kind == kind && (asset.is_none() || entry.asset.as_ref() == asset) {
                found += 1;
            }
        }
        found
    }
}
