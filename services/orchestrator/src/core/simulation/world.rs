//! One schedule: a store, a queue with its workers, two leaders, people; and chance, which decides what happens next.

use kycc_domain::ids::{AssetKey, TaskId};

use super::super::command::Command;
use super::super::event::{Event, Memo};
use super::super::failure::{Failure, FailureKind};
use super::super::launch::{PlannedStep, launch};
use super::super::slots::SlotRun;
use super::super::state::{Metadata, Resolution, RunState, RunStatus, TaskStatus, Version};
use super::dice::Dice;
use super::leader::{Leader, Outcome, Pending};
use super::queue::{Answer, Entry, Hands, Queue};
use super::store::{Fault, Store};

/// How often what goes wrong, in percent; all zero in a calm world.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    pub(super) write_fails: usize,
    pub(super) crash_in_turn: usize,
    pub(super) push_lost: usize,
    pub(super) ack_lost: usize,
    pub(super) delivered_twice: usize,
    pub(super) worker_dies: usize,
    pub(super) worker_pauses: usize,
    pub(super) step_fails: usize,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) trouble: Trouble,
    pub(super) store: Store,
    pub(super) queue: Queue,
    /// Two processes; each may think that it leads.
    pub(super) leaders: [Option<Leader>; 2],
    pub(super) now: u64,
    /// Steps whose tasks kill every worker.
    pub(super) poison: Vec<AssetKey>,
    /// What happens is told, to follow one schedule.
    pub(super) told: bool,
}

impl World {
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            eprintln!("{:>5} {}", self.now, what());
        }
    }

    /// A run of up to five steps, each with any steps before it as its upstream.
    pub(super) fn launch(&mut self) {
        let number = self.store.runs.len();
        let steps = 1 + self.dice.roll(5);
        let plan = (0..steps).map(|n| PlannedStep {
            asset: format!("asset_{n}").parse().unwrap(),
            upstream: (0..n).filter(|_| self.dice.percent(40)).collect(),
            datasets: vec![format!("data_{n}").parse().unwrap()],
            max_attempts: 3,
            max_deliveries: 2,
            carried: None,
        });
        let plan = plan.collect();
        let slot = SlotRun {
            run_id: format!("run-{number}").parse().unwrap(),
            tags: [("team".to_owned(), format!("t{}", self.dice.roll(2)))].into(),
            priority: self.dice.roll(3) as i32 - 1,
            created_at: number as i64,
        };
        let (state, commands) = launch(slot.run_id.clone(), plan);
        let log = commands.into_iter().filter_map(|command| match command {
            Command::Emit(entry) => Some(entry),
            _ => None,
        });
        self.tell(|| format!("run-{number} of {steps} steps is launched"));
        self.store.create(slot, state, log.collect());
    }

    pub(super) fn take_over(&mut self, process: usize) {
        let (leader, asked) = Leader::take_over(&mut self.store);
        self.tell(|| format!("process {process} leads, epoch {}", leader.epoch));
        self.leaders[process] = Some(leader);
        self.perform(process, asked);
        self.turn(process, Vec::new(), &[], &[]);
    }

    /// One turn of a leader: write, then do, then acknowledge; it may die between any two.
    pub(super) fn turn(
        &mut self,
        process: usize,
        inputs: Vec<(usize, Event)>,
        results: &[u64],
        expired: &[u64],
    ) {
        let Some(mut leader) = self.leaders[process].take() else {
            return;
        };
        self.tell(|| format!("process {process} hears {inputs:?}"));
        let (dice, fails) = (&mut self.dice, self.trouble.write_fails);
        let mut fault = || match (dice.percent(fails), dice.percent(50)) {
            (false, _) => Fault::None,
            (true, true) => Fault::Before,
            (true, false) => Fault::After,
        };
        let effects = match leader.turn(&mut self.store, &inputs, &mut fault) {
            Outcome::Done(effects) => effects,
            Outcome::Deposed => return self.tell(|| format!("process {process} leads no more")),
        };
        self.leaders[process] = Some(leader);
        if self.dies_now(process) {
            return;
        }
        self.perform(process, effects);
        if self.dies_now(process) || self.dice.percent(self.trouble.ack_lost) {
            return;
        }
        self.queue.ack_results(results);
        for entry in expired {
            self.queue.ack(*entry);
        }
    }

    fn dies_now(&mut self, process: usize) -> bool {
        let dies = self.dice.percent(self.trouble.crash_in_turn);
        if dies {
            self.tell(|| format!("process {process} dies"));
            self.leaders[process] = None;
        }
        dies
    }

    pub(super) fn perform(&mut self, process: usize, effects: Vec<(usize, Command)>) {
        for (run, effect) in effects {
            match effect {
                Command::Dispatch { .. } if self.dice.percent(self.trouble.push_lost) => {}
                Command::Dispatch { task, attempt } => self.queue.push(run, task, attempt),
                Command::CancelTasks { tasks } => self.queue.cancelled.extend(tasks),
                Command::ResolveStep { asset } => {
                    self.pend(process, Pending::Resolve(run, asset));
                }
                Command::RetryAfter { task, attempt, .. } => {
                    self.pend(process, Pending::Retry(run, task, attempt));
                }
                _ => {}
            }
        }
    }

    fn pend(&mut self, process: usize, pending: Pending) {
        if let Some(leader) = &mut self.leaders[process] {
            leader.pending.push(pending);
        }
    }

    /// A step was resolved, or a retry is due.
    pub(super) fn happen(&mut self, process: usize) -> bool {
        let Some(leader) = &mut self.leaders[process] else {
            return false;
        };
        if leader.pending.is_empty() {
            return false;
        }
        let at = self.dice.roll(leader.pending.len());
        let input = match leader.pending.swap_remove(at) {
            Pending::Resolve(run, asset) => (run, self.resolution(asset)),
            Pending::Retry(run, task, attempt) => (run, Event::RetryDue { task, attempt }),
        };
        self.turn(process, vec![input], &[], &[]);
        true
    }

    fn resolution(&mut self, asset: AssetKey) -> Event {
        if self.dice.percent(self.trouble.step_fails / 3) {
            let failure = Failure::new("INPUT_MISSING", "no such input");
            return Event::StepResolveFailed { asset, failure };
        }
        let memo = self.dice.percent(15).then(|| Memo {
            outputs: vec![version(&asset)],
            metadata: Metadata::new(),
        });
        Event::StepResolved {
            resolution: Resolution {
                key: "key".to_owned(),
                inputs: Vec::new(),
                sources: Vec::new(),
                shards: 1 + self.dice.roll(3) as u32,
            },
            asset,
            memo,
        }
    }

    /// Reads some results, in any order, and applies them in one turn.
    pub(super) fn read_results(&mut self, process: usize) -> bool {
        if self.queue.results.is_empty() || self.leaders[process].is_none() {
            return false;
        }
        let count = 1 + self.dice.roll(self.queue.results.len().min(4));
        let from = self.dice.roll(self.queue.results.len() - count + 1);
        let read: Vec<Answer> = self.queue.results[from..from + count].to_vec();
        let ids: Vec<u64> = read.iter().map(|answer| answer.id).collect();
        let inputs = read.into_iter().map(|answer| (answer.run, answer.event));
        self.turn(process, inputs.collect(), &ids, &[]);
        true
    }

    /// Ends the leases of workers that fell silent.
    pub(super) fn sweep(&mut self, process: usize) -> bool {
        let silent = self.queue.expired(self.now);
        if silent.is_empty() || self.leaders[process].is_none() {
            return false;
        }
        let ids: Vec<u64> = silent.iter().map(|entry| entry.id).collect();
        let inputs = silent.into_iter().map(
            |Entry {
                 run, task, attempt, ..
             }| { (run, Event::LeaseExpired { task, attempt }) },
        );
        self.turn(process, inputs.collect(), &[], &ids);
        true
    }

    /// What the store calls dispatched and the queue does not know is pushed again; runs that nobody told of are taken up.
    pub(super) fn reconcile(&mut self, process: usize) {
        let Some(leader) = &mut self.leaders[process] else {
            return;
        };
        let mut asked = leader.take_up(&self.store);
        for (run, state) in &leader.live {
            let mut tasks = state.tasks().map(|(_, task)| task);
            while let Some(task) = tasks.find(|t| t.status == TaskStatus::Dispatched) {
                if !self.queue.knows(&task.id, task.attempt) {
                    let (task, attempt) = (task.id.clone(), task.attempt);
                    asked.push((*run, Command::Dispatch { task, attempt }));
                }
            }
        }
        self.perform(process, asked);
        self.turn(process, Vec::new(), &[], &[]);
    }

    /// Time or a person speaks to a run that has not ended.
    pub(super) fn interfere(&mut self, process: usize, event: impl FnOnce(&RunState) -> Event) {
        let open = |run: &usize| !self.store.runs[*run].state.status.is_terminal();
        let open: Vec<usize> = (0..self.store.runs.len()).filter(open).collect();
        if open.is_empty() {
            return;
        }
        let run = open[self.dice.roll(open.len())];
        let event = event(&self.store.runs[run].state);
        self.turn(process, vec![(run, event)], &[], &[]);
    }

    /// One of the workers does something; none is the answer when there is nothing to do.
    pub(super) fn work(&mut self) -> bool {
        let all = self.queue.entries.len() + self.queue.sleepers.len();
        if all == 0 {
            return false;
        }
        let at = self.dice.roll(all);
        if at >= self.queue.entries.len() {
            let at = at - self.queue.entries.len();
            let entry = self.queue.sleepers.swap_remove(at);
            self.answer(entry);
            return true;
        }
        let entry = self.queue.entries[at].clone();
        match entry.hands {
            Hands::Waiting => self.pull(at),
            Hands::Working | Hands::Silent { wakes: true, .. } => {
                self.answer(entry.clone());
                // A worker that dies before it acknowledges leaves its entry behind.
                match self.dice.percent(self.trouble.ack_lost) {
                    true => self.silence(entry.id, false),
                    false => self.queue.entries.retain(|other| other.id != entry.id),
                }
            }
            Hands::Silent { wakes: false, .. } => return false,
        }
        true
    }

    fn silence(&mut self, entry: u64, wakes: bool) {
        let since = self.now;
        let mut entries = self.queue.entries.iter_mut();
        if let Some(found) = entries.find(|found| found.id == entry) {
            found.hands = Hands::Silent { since, wakes };
        }
    }

    fn pull(&mut self, at: usize) {
        let entry = self.queue.entries[at].clone();
        if self.dice.percent(self.trouble.delivered_twice) {
            self.queue
                .push(entry.run, entry.task.clone(), entry.attempt);
        }
        if self.is_poison(&entry) || self.dice.percent(self.trouble.worker_dies) {
            self.tell(|| format!("a worker dies of {}", entry.task));
            self.silence(entry.id, false);
        } else if self.dice.percent(self.trouble.worker_pauses) {
            self.silence(entry.id, true);
        } else {
            self.queue.entries[at].hands = Hands::Working;
        }
    }

    fn is_poison(&self, entry: &Entry) -> bool {
        let state = &self.store.runs[entry.run].state;
        let found = state.task_position(&entry.task);
        found.is_some_and(|(s, _)| self.poison.contains(&state.steps[s].asset))
    }

    fn answer(&mut self, entry: Entry) {
        let state = &self.store.runs[entry.run].state;
        let Some((s, _)) = state.task_position(&entry.task) else {
            return;
        };
        let asset = state.steps[s].asset.clone();
        let (task, attempt) = (entry.task, entry.attempt);
        let failure = Failure::new("BROKEN", "it broke");
        let fails = self.dice.percent(self.trouble.step_fails);
        let event = if self.queue.cancelled.contains(&task) && self.dice.percent(80) {
            Event::TaskCancelled { task, attempt }
        } else if fails && self.dice.percent(20) {
            // The worker was stopped, and hands the task back.
            Event::TaskCancelled { task, attempt }
        } else if fails {
            let retryable = self.dice.percent(70);
            Event::TaskFailed {
                task,
                attempt,
                failure,
                retryable,
            }
        } else {
            succeeded(task, attempt, &asset)
        };
        self.queue.publish(entry.run, event);
    }

    pub(super) fn all_ended(&self) -> bool {
        let mut runs = self.store.runs.iter();
        runs.all(|run| run.state.status.is_terminal())
    }
}

fn succeeded(task: TaskId, attempt: u32, asset: &AssetKey) -> Event {
    Event::TaskSucceeded {
        task,
        attempt,
        outputs: vec![version(asset)],
        metadata: Metadata::new(),
        reused: false,
    }
}

fn version(asset: &AssetKey) -> Version {
    let number = asset.as_str().trim_start_matches("asset_");
    Version {
        dataset: format!("data_{number}").parse().unwrap(),
        batch: "B1".parse().unwrap(),
        key: "key".to_owned(),
        digest: "d1".to_owned(),
        rows: 1,
        bytes: 1,
        files: 1,
    }
}

/// What time or people may say to a run.
pub(super) fn interference(dice: usize, state: &RunState) -> Event {
    match dice % 3 {
        0 => Event::RunTimedOut {
            failure: Failure::plain(FailureKind::MaxRuntimeExceeded, "too slow"),
        },
        1 if state.status == RunStatus::Canceling => Event::CancelTimedOut,
        _ => Event::CancelRequested { by: "me".into() },
    }
}
