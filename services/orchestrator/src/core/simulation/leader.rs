//! A leader as the engine is one: memory of the runs, turns that plan, write and do, and reading again after a write of
//! unknown effect.

use std::collections::BTreeMap;

use kycc_domain::ids::{AssetKey, TaskId};

use super::super::advance::advance;
use super::super::command::Command;
use super::super::event::Event;
use super::super::recover::recover;
use super::super::slots::grant;
use super::super::state::{RunState, RunStatus};
use super::store::{Change, Fault, Refused, Store};

/// Something that a leader has under way, and that ends with it.
#[derive(Debug, Clone)]
pub(super) enum Pending {
    Resolve(usize, AssetKey),
    Retry(usize, TaskId, u32),
}

#[derive(Debug)]
pub(super) struct Leader {
    pub(super) epoch: u64,
    pub(super) live: BTreeMap<usize, RunState>,
    pub(super) pending: Vec<Pending>,
}

/// What came of a turn.
pub(super) enum Outcome {
    /// Written; these are to be done now.
    Done(Vec<(usize, Command)>),
    Deposed,
}

impl Leader {
    /// Takes over: the epoch rises, memory is read, and what was under way is asked for again.
    pub(super) fn take_over(store: &mut Store) -> (Self, Vec<(usize, Command)>) {
        store.epoch += 1;
        let mut leader = Self {
            epoch: store.epoch,
            live: BTreeMap::new(),
            pending: Vec::new(),
        };
        let asked = leader.take_up(store);
        (leader, asked)
    }

    /// Runs of the store that memory does not know.
    pub(super) fn take_up(&mut self, store: &Store) -> Vec<(usize, Command)> {
        let mut asked = Vec::new();
        for (at, run) in store.runs.iter().enumerate() {
            if !run.state.status.is_terminal() && !self.live.contains_key(&at) {
                let fresh = recover(&run.state).into_iter();
                asked.extend(fresh.map(|command| (at, command)));
                self.live.insert(at, run.state.clone());
            }
        }
        asked
    }

    /// `fault` tells what befalls each write of the turn.
    pub(super) fn turn(
        &mut self,
        store: &mut Store,
        inputs: &[(usize, Event)],
        mut fault: impl FnMut() -> Fault,
    ) -> Outcome {
        let mut again = Vec::new();
        loop {
            let (changes, effects) = self.plan(store, inputs);
            if changes.is_empty() {
                again.extend(effects);
                return Outcome::Done(again);
            }
            match store.apply(self.epoch, &changes, fault()) {
                Ok(()) => {
                    for change in changes {
                        self.install(change.run, change.after);
                    }
                    again.extend(effects);
                    return Outcome::Done(again);
                }
                Err(Refused::Deposed) => return Outcome::Deposed,
                Err(Refused::Unknown) => {
                    for change in changes {
                        let stored = store.runs[change.run].state.clone();
                        if stored == change.before {
                            continue;
                        }
                        // What was under way before that write is still.
                        let known = recover(&change.before);
                        let fresh = recover(&stored).into_iter();
                        let fresh = fresh.filter(|command| !known.contains(command));
                        again.extend(fresh.map(|command| (change.run, command)));
                        self.install(change.run, stored);
                    }
                }
            }
        }
    }

    fn install(&mut self, run: usize, state: RunState) {
        match state.status.is_terminal() {
            true => self.live.remove(&run),
            false => self.live.insert(run, state),
        };
    }

    fn plan(
        &self,
        store: &Store,
        inputs: &[(usize, Event)],
    ) -> (Vec<Change>, Vec<(usize, Command)>) {
        let mut drafts = BTreeMap::new();
        let mut effects = Vec::new();
        for (run, event) in inputs {
            self.feed(store, &mut drafts, &mut effects, *run, event);
        }
        let runs = |wanted: fn(RunStatus) -> bool, drafts: &BTreeMap<usize, Change>| {
            let status = |run: usize, state: &RunState| {
                drafts.get(&run).map_or(state.status, |d| d.after.status)
            };
            let live = self.live.iter();
            live.filter(|(run, state)| wanted(status(**run, state)))
                .map(|(run, _)| store.runs[*run].slot.clone())
                .collect::<Vec<_>>()
        };
        let holding = runs(RunStatus::holds_slot, &drafts);
        let queued = runs(|status| status == RunStatus::Queued, &drafts);
        for run_id in grant(&store.limits, &holding, queued) {
            let run = store.runs.iter().position(|r| r.slot.run_id == run_id);
            let run = run.expect("the queue grants what it was given");
            self.feed(store, &mut drafts, &mut effects, run, &Event::Started);
        }
        let changed = drafts.into_values().filter(|d| d.before != d.after);
        (changed.collect(), effects)
    }

    fn feed(
        &self,
        store: &Store,
        drafts: &mut BTreeMap<usize, Change>,
        effects: &mut Vec<(usize, Command)>,
        run: usize,
        event: &Event,
    ) {
        let Some(state) = self.live.get(&run) else {
            return;
        };
        let draft = drafts.entry(run).or_insert_with(|| Change {
            run,
            before: state.clone(),
            after: state.clone(),
            path: Vec::new(),
            log: Vec::new(),
            materialized: Vec::new(),
            dead_letters: Vec::new(),
        });
        let (after, commands) = match advance(&draft.after, event.clone()) {
            Ok(next) => next,
            // Only one who leads no more hears of attempts that were made after its time.
            Err(error) => {
                assert_ne!(self.epoch, store.epoch, "{error}");
                return;
            }
        };
        let before = std::mem::replace(&mut draft.after, after.clone());
        let mut ignored = true;
        for command in commands {
            ignored &= matches!(command, Command::Ignored { .. });
            match command {
                Command::Emit(entry) => draft.log.push(entry),
                Command::Materialize { asset, .. } => draft.materialized.push(asset),
                Command::DeadLetter { task, .. } => draft.dead_letters.push(task),
                Command::Reuse { .. } | Command::Ignored { .. } => {}
                effect => effects.push((run, effect)),
            }
        }
        assert!(
            before != after || ignored,
            "an event that changes nothing asks for nothing: {event:?}"
        );
        draft.path.push((before, event.clone(), after));
    }
}
