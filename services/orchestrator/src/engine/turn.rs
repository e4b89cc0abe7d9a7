//! One turn: everything that has happened, fed to the core, and what is to be written and done. No I/O; planned anew
//! from the same inputs when writing fails.

use std::collections::{BTreeMap, HashMap};

use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, RunId, TaskId};
use kycc_runtime::Clock;

use super::dead_letter::{Died, dead_letter};
use super::live::Live;
use crate::core::{Command, Event, QueueLimits, RunState, RunStatus, Version, advance, grant};
use crate::store::{AttemptEnd, Change, Logged, Move, NewMaterialization};

/// Something that happened to a run.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Event {
        run_id: RunId,
        event: Event,
        attempt: Option<AttemptEnd>,
    },
    Line {
        run_id: RunId,
        line: Logged,
    },
    /// Somebody wants the run cancelled.
    Cancel {
        run_id: RunId,
        deed: Box<Deed>,
    },
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// In the order in which they were asked for.
    pub(super) effects: Vec<(RunId, Command)>,
}

struct Draft {
    change: Change,
    before: RunState,
    state: RunState,
}

/// Rounds: what happened, then what followed from it once slots had been granted, and so on.
pub(super) fn plan(
    live: &HashMap<RunId, Live>,
    rounds: &[Vec<Input>],
    limits: &QueueLimits,
    clock: &dyn Clock,
) -> Plan {
    let mut turn = Planning {
        live,
        clock,
        now: clock.now_micros(),
        drafts: BTreeMap::new(),
        effects: Vec::new(),
    };
    for inputs in rounds {
        for input in inputs {
            turn.take(input);
        }
        turn.grant(limits);
    }
    turn.finish()
}

struct Planning<'a> {
    live: &'a HashMap<RunId, Live>,
    clock: &'a dyn Clock,
    now: i64,
    drafts: BTreeMap<RunId, Draft>,
    effects: Vec<(RunId, Command)>,
}

impl Planning<'_> {
    fn draft(&mut self, run_id: &RunId) -> Option<&mut Draft> {
        let run = self.live.get(run_id)?;
        let now = self.now;
        Some(self.drafts.entry(run_id.clone()).or_insert_with(|| Draft {
            change: Change {
                run_id: run_id.clone(),
                batch: run.facts.batch.clone(),
                at: now,
                moved: None,
                log: Vec::new(),
                materialized: Vec::new(),
                reused: Vec::new(),
                attempts_ended: Vec::new(),
                dead_letters: Vec::new(),
                audit: Vec::new(),
            },
            before: run.state.clone(),
            state: run.state.clone(),
        }))
    }

    fn take(&mut self, input: &Input) {
        match input {
            Input::Event {
                run_id,
                event,
                attempt,
            } => self.feed(run_id, event.clone(), attempt.clone()),
            Input::Line { run_id, line } => {
                if let Some(draft) = self.draft(run_id) {
                    draft.change.log.push(line.clone());
                }
            }
            Input::Cancel { run_id, deed } => self.cancel(run_id, deed),
        }
    }

    /// Goes into the audit log where it changes the run: who comes late, or second, changes nothing.
    fn cancel(&mut self, run_id: &RunId, deed: &Deed) {
        let state = |drafts: &BTreeMap<RunId, Draft>| drafts.get(run_id).map(|d| d.state.clone());
        let before = state(&self.drafts).or_else(|| Some(self.live.get(run_id)?.state.clone()));
        let by = deed.principal.clone();
        self.feed(run_id, Event::CancelRequested { by }, None);
        if let Some(draft) = self.drafts.get_mut(run_id)
            && before.is_some_and(|before| before != draft.state)
        {
            draft.change.audit.push(deed.clone());
        }
    }

    fn feed(&mut self, run_id: &RunId, event: Event, attempt: Option<AttemptEnd>) {
        let (now, clock, live) = (self.now, self.clock, self.live);
        let worker = attempt.as_ref().map(|end| end.worker.clone());
        let name = event.name();
        let Some(draft) = self.draft(run_id) else {
            tracing::debug!(%run_id, event = name, "ignored: the run has ended or is not known");
            return;
        };
        let (state, commands) = match advance(&draft.state, event) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "an event was refused");
                return;
            }
        };
        draft.state = state;
        draft.change.attempts_ended.extend(attempt);
        let mut effects = Vec::new();
        for command in commands {
            match command {
                Command::Emit(entry) => draft.change.log.push(Logged { at: now, entry }),
                Command::Materialize {
                    asset,
                    key,
                    outputs,
                    metadata,
                } => draft.change.materialized.push(NewMaterialization {
                    id: clock.new_id().to_string(),
                    inputs: inputs(&draft.state, &asset),
                    asset,
                    key,
                    outputs,
                    metadata,
                }),
                Command::DeadLetter {
                    asset,
                    task,
                    attempt,
                    deliveries,
                    error,
                } => {
                    let died = Died {
                        asset,
                        task,
                        attempt,
                        deliveries,
                        error,
                    };
                    let worker = worker.clone().unwrap_or_default();
                    let id = clock.new_id().to_string();
                    let letter = live
                        .get(run_id)
                        .map(|run| dead_letter(run, died, worker, id, now));
                    draft.change.dead_letters.extend(letter);
                }
                Command::Reuse { asset, key } => draft.change.reused.push((asset, key)),
                Command::Ignored { why } => {
                    tracing::info!(%run_id, event = name, why, "ignored an event that came late or twice");
                }
                effect => effects.push((run_id.clone(), effect)),
            }
        }
        self.effects.extend(effects);
    }

    fn status(&self, run: &Live) -> RunStatus {
        let drafted = self.drafts.get(&run.facts.run_id);
        drafted.map_or(run.state.status, |draft| draft.state.status)
    }

    /// Free slots go to waiting runs in the turn that frees them.
    fn grant(&mut self, limits: &QueueLimits) {
        let runs = |wanted: fn(RunStatus) -> bool| {
            self.live
                .values()
                .filter(|run| wanted(self.status(run)))
                .map(Live::slot)
                .collect::<Vec<_>>()
        };
        let holding = runs(RunStatus::holds_slot);
        let queued = runs(|status| status == RunStatus::Queued);
        for run_id in grant(limits, &holding, queued) {
            self.feed(&run_id, Event::Started, None);
        }
    }

    fn finish(self) -> Plan {
        let changes = self.drafts.into_values().filter_map(|draft| {
            let mut change = draft.change;
            if draft.state != draft.before {
                change.moved = Some(Move {
                    before: draft.before,
                    after: draft.state,
                });
            } else if change.log.is_empty() && change.attempts_ended.is_empty() {
                return None;
            }
            Some(change)
        });
        Plan {
            changes: changes.collect(),
            effects: self.effects,
        }
    }
}

/// What the step of this asset was resolved to read.
fn inputs(state: &RunState, asset: &AssetKey) -> Vec<Version> {
    let resolution = state.step(asset).and_then(|step| step.resolution.as_ref());
    resolution.map_or_else(Vec::new, |found| found.inputs.clone())
}

impl Plan {
    /// Runs that move, as they will be once the plan is written.
    pub(super) fn states(&self) -> HashMap<&RunId, &RunState> {
        let moved = self
            .changes
            .iter()
            .filter_map(|change| Some((&change.run_id, &change.moved.as_ref()?.after)));
        moved.collect()
    }

    pub(super) fn dispatches(&self) -> bool {
        let mut effects = self.effects.iter();
        effects.any(|(_, effect)| matches!(effect, Command::Dispatch { .. }))
    }

    /// Whether the task is still to be pushed in this attempt: it may have ended within the same turn.
    pub(super) fn is_current(run: &Live, task: &TaskId, attempt: u32) -> bool {
        let mut tasks = run.state.tasks();
        tasks.any(|(_, found)| {
            &found.id == task
                && found.attempt == attempt
                && found.status == crate::core::TaskStatus::Dispatched
        })
    }
}
