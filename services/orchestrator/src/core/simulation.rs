//! Drives the state machine as the world would: a queue that loses, repeats, delays and reorders, workers that fail or
//! die, people who cancel, and restarts from what was written, at every state.

use kycc_domain::ids::{AssetKey, TaskId};
use proptest::prelude::*;

use super::advance::advance;
use super::command::Command;
use super::event::{Event, Memo};
use super::failure::Failure;
use super::invariants::{assert_state, assert_transition};
use super::launch::{PlannedStep, launch};
use super::recover::recover;
use super::state::{Metadata, Resolution, RunState, RunStatus, StepStatus, TaskStatus, Version};

/// Something under way outside of the state machine.
#[derive(Debug, Clone)]
enum Pending {
    Resolve(AssetKey),
    Delivery(TaskId, u32),
    Result(Event),
    Retry(TaskId, u32),
}

struct World {
    state: RunState,
    pending: Vec<Pending>,
}

impl World {
    fn new(shape: &[Vec<usize>]) -> Self {
        let plan = shape
            .iter()
            .enumerate()
            .map(|(n, upstream)| PlannedStep {
                asset: format!("asset_{n}").parse().unwrap(),
                upstream: upstream.clone(),
                datasets: vec![format!("data_{n}").parse().unwrap()],
                max_attempts: 3,
                max_deliveries: 3,
                carried: None,
            })
            .collect();
        let (state, _) = launch("run-1".parse().unwrap(), plan);
        assert_state(&state);
        Self {
            state,
            pending: Vec::new(),
        }
    }

    fn feed(&mut self, event: Event) {
        let (after, commands) = advance(&self.state, event).expect("the world is possible");
        assert_transition(&self.state, &after);
        if after == self.state {
            assert!(
                commands
                    .iter()
                    .all(|c| matches!(c, Command::Ignored { .. }))
            );
        }
        self.state = after;
        self.queue(commands);
    }

    fn queue(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::ResolveStep { asset } => self.pending.push(Pending::Resolve(asset)),
                Command::Dispatch { task, attempt } => {
                    self.pending.push(Pending::Delivery(task, attempt));
                }
                Command::RetryAfter { task, attempt, .. } => {
                    self.pending.push(Pending::Retry(task, attempt));
                }
                Command::CancelTasks { tasks } => {
                    for task in tasks {
                        let (s, t) = self.state.task_position(&task).unwrap();
                        let attempt = self.state.steps[s].tasks[t].attempt;
                        let told = Event::TaskCancelled { task, attempt };
                        self.pending.push(Pending::Result(told));
                    }
                }
                _ => {}
            }
        }
    }

    /// One thing happens; `dice` decides what.
    fn step(&mut self, dice: u32) {
        if self.state.status == RunStatus::Queued && !dice.is_multiple_of(7) {
            return self.feed(Event::Started);
        }
        match dice % 97 {
            0 => self.feed(Event::CancelRequested { by: "me".into() }),
            1 => self.feed(Event::CancelTimedOut),
            2 => self.feed(Event::RunTimedOut {
                failure: Failure::new("RUN_TIMED_OUT", "too slow"),
            }),
            3..=8 => self.restart(),
            9..=14 => self.expire(dice),
            _ if self.pending.is_empty() => self.expire(dice),
            _ => self.happen(dice),
        }
    }

    fn happen(&mut self, dice: u32) {
        let at = (dice / 97) as usize % self.pending.len();
        // One in eight stays where it is, and happens again.
        let item = match dice / 7 % 8 {
            0 => self.pending[at].clone(),
            _ => self.pending.swap_remove(at),
        };
        match item {
            Pending::Resolve(asset) => self.feed(resolution(asset, dice / 13)),
            Pending::Delivery(task, attempt) => self.work(task, attempt, dice / 11),
            Pending::Result(event) => self.feed(event),
            Pending::Retry(task, attempt) => self.feed(Event::RetryDue { task, attempt }),
        }
    }

    /// A worker: most succeed, some fail, some die without a word.
    fn work(&mut self, task: TaskId, attempt: u32, dice: u32) {
        let (s, _) = self.state.task_position(&task).unwrap();
        let failure = Failure::new("BROKEN", "it broke");
        let event = match dice % 10 {
            0 => return,
            1 => Event::TaskFailed {
                task,
                attempt,
                failure,
                retryable: false,
            },
            2 | 3 => Event::TaskFailed {
                task,
                attempt,
                failure,
                retryable: true,
            },
            4 => Event::TaskCancelled { task, attempt },
            _ => success(task, attempt, s),
        };
        self.pending.push(Pending::Result(event));
    }

    fn expire(&mut self, dice: u32) {
        let open: Vec<_> = self
            .state
            .tasks()
            .filter(|(_, t)| t.status == TaskStatus::Dispatched)
            .map(|(_, t)| (t.id.clone(), t.attempt))
            .collect();
        if !open.is_empty() {
            let (task, attempt) = open[dice as usize % open.len()].clone();
            self.feed(Event::LeaseExpired { task, attempt });
        }
    }

    /// Only what was written survives; results that wait on the queue may too.
    fn restart(&mut self) {
        let written = serde_json::to_string(&self.state).unwrap();
        let read: RunState = serde_json::from_str(&written).unwrap();
        assert_eq!(read, self.state);
        self.state = read;
        self.pending.retain(|p| matches!(p, Pending::Result(_)));
        let commands = recover(&self.state);
        self.queue(commands);
    }

    /// The world calms down: everything asked for is answered, and nobody else interferes.
    fn drain(&mut self) {
        for _ in 0..1000 {
            if self.state.status.is_terminal() {
                return;
            }
            if self.state.status == RunStatus::Queued {
                self.feed(Event::Started);
                continue;
            }
            match self.pending.pop() {
                Some(Pending::Resolve(asset)) => self.feed(resolution(asset, 3)),
                Some(Pending::Delivery(task, attempt)) => {
                    let (s, _) = self.state.task_position(&task).unwrap();
                    self.feed(success(task, attempt, s));
                }
                Some(Pending::Result(event)) => self.feed(event),
                Some(Pending::Retry(task, attempt)) => {
                    self.feed(Event::RetryDue { task, attempt });
                }
                None if self.state.status == RunStatus::Canceling => {
                    self.feed(Event::CancelTimedOut);
                }
                None => self.expire(0),
            }
        }
        panic!("the run did not end: {:#?}", self.state);
    }
}

fn version(s: usize) -> Version {
    Version {
        dataset: format!("data_{s}").parse().unwrap(),
        batch: "B1".parse().unwrap(),
        key: "key".to_owned(),
        digest: "d1".to_owned(),
        rows: 1,
        bytes: 1,
        files: 1,
    }
}

fn success(task: TaskId, attempt: u32, s: usize) -> Event {
    Event::TaskSucceeded {
        task,
        attempt,
        outputs: vec![version(s)],
        metadata: Metadata::new(),
        reused: false,
    }
}

fn resolution(asset: AssetKey, dice: u32) -> Event {
    if dice.is_multiple_of(11) {
        let failure = Failure::new("INPUT_MISSING", "no such input");
        return Event::StepResolveFailed { asset, failure };
    }
    let s: usize = asset.as_str().rsplit('_').next().unwrap().parse().unwrap();
    let memo = dice.is_multiple_of(5).then(|| Memo {
        outputs: vec![version(s)],
        metadata: Metadata::new(),
    });
    Event::StepResolved {
        asset,
        resolution: Resolution {
            key: "key".to_owned(),
            inputs: Vec::new(),
            sources: Vec::new(),
            shards: 1 + dice % 3,
        },
        memo,
    }
}

/// Graphs of up to seven steps, each with any steps before it as its upstream.
fn shapes() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(any::<u8>(), 1..8).prop_map(|masks| {
        masks
            .iter()
            .enumerate()
            .map(|(n, mask)| (0..n).filter(|u| mask >> u & 1 == 1).collect())
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_run_ends_whatever_happens_and_the_invariants_hold_throughout(
        shape in shapes(),
        script in proptest::collection::vec(any::<u32>(), 0..120),
    ) {
        let mut world = World::new(&shape);
        for dice in script {
            world.step(dice);
        }
        world.drain();
        let ended = world.state.clone();
        // Whatever still comes changes nothing.
        for item in std::mem::take(&mut world.pending) {
            if let Pending::Result(event) = item {
                world.feed(event);
            }
        }
        prop_assert_eq!(ended, world.state);
    }

    #[test]
    fn an_undisturbed_run_succeeds(shape in shapes()) {
        let mut world = World::new(&shape);
        world.drain();
        prop_assert_eq!(world.state.status, RunStatus::Success);
        prop_assert!(world.state.steps.iter().all(|s| s.status == StepStatus::Success));
    }
}
