//! The queue and the workers at it: entries wait, are in somebody's hands, or in those of a worker that fell silent.

use std::collections::BTreeSet;

use kycc_domain::ids::TaskId;

use super::super::event::Event;

/// Ticks without a beat after which a lease may be ended.
pub(super) const LEASE: u64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hands {
    Waiting,
    Working,
    /// Died, or paused and `wakes` to answer late.
    Silent {
        since: u64,
        wakes: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) run: usize,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
    pub(super) hands: Hands,
}

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) id: u64,
    pub(super) run: usize,
    pub(super) event: Event,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    last_id: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) results: Vec<Answer>,
    /// Workers whose entry was taken from them while they paused.
    pub(super) sleepers: Vec<Entry>,
    pub(super) cancelled: BTreeSet<TaskId>,
}

impl Queue {
    fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn push(&mut self, run: usize, task: TaskId, attempt: u32) {
        let id = self.id();
        self.entries.push(Entry {
            id,
            run,
            task,
            attempt,
            hands: Hands::Waiting,
        });
    }

    pub(super) fn publish(&mut self, run: usize, event: Event) {
        let id = self.id();
        self.results.push(Answer { id, run, event });
    }

    /// Removes an entry, whoever holds it.
    pub(super) fn ack(&mut self, id: u64) {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else {
            return;
        };
        let entry = self.entries.swap_remove(at);
        if matches!(entry.hands, Hands::Silent { wakes: true, .. }) {
            self.sleepers.push(entry);
        }
    }

    pub(super) fn ack_results(&mut self, ids: &[u64]) {
        self.results.retain(|answer| !ids.contains(&answer.id));
    }

    pub(super) fn expired(&self, now: u64) -> Vec<Entry> {
        let silent = |entry: &&Entry| match entry.hands {
            Hands::Silent { since, .. } => now - since >= LEASE,
            _ => false,
        };
        self.entries.iter().filter(silent).cloned().collect()
    }

    /// Whether the queue still holds this attempt, or the answer to it.
    pub(super) fn knows(&self, task: &TaskId, attempt: u32) -> bool {
        let entry = |entry: &Entry| &entry.task == task && entry.attempt == attempt;
        self.entries.iter().any(entry)
            || self.results.iter().any(|answer| match &answer.event {
                Event::TaskSucceeded {
                    task: t,
                    attempt: a,
                    ..
                }
                | Event::TaskFailed {
                    task: t,
                    attempt: a,
                    ..
                }
                | Event::TaskCancelled {
                    task: t,
                    attempt: a,
                } => t == task && *a == attempt,
                _ => false,
            })
    }

    /// As FLUSHALL does: entries, results and cancel marks are gone; workers go on with what they have.
    pub(super) fn flush(&mut self) {
        let held = |entry: &Entry| {
            matches!(
                entry.hands,
                Hands::Working | Hands::Silent { wakes: true, .. }
            )
        };
        self.sleepers
            .extend(self.entries.drain(..).filter(|entry| held(entry)));
        self.results.clear();
        self.cancelled.clear();
    }
}
