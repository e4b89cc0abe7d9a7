//! Thousands of seeded schedules of a whole fleet around the state machine: a queue that loses, repeats, delays, reorders
//! and forgets everything; workers that fail, die, pause and wake; a store whose answer to a write may be lost; two
//! processes that each may think that they lead; people who cancel. Invariants are checked at every write.
//!
//! `SIMULATION_SEED=…` runs one schedule and tells what happens in it.

mod dice;
mod leader;
mod queue;
mod store;
mod world;

use super::command::EventKind;
use super::event::Event;
use super::slots::{QueueLimits, TagLimit};
use super::state::{RunStatus, StepStatus};
use dice::Dice;
use queue::{LEASE, Queue};
use store::Store;
use world::{Trouble, World, interference};

pub(super) use store::Stored;

/// How many schedules one test tries; together about five seconds.
const SCHEDULES: u64 = 3_000;
const ACTIONS: usize = 250;
/// More than any schedule needs once nothing goes wrong any more.
const PATIENCE: usize = 20_000;

const STORMY: Trouble = Trouble {
    write_fails: 10,
    crash_in_turn: 3,
    push_lost: 5,
    ack_lost: 10,
    delivered_twice: 10,
    worker_dies: 8,
    worker_pauses: 10,
    step_fails: 12,
};

fn world(seed: u64, trouble: Trouble, told: bool) -> World {
    let mut dice = Dice::new(seed);
    let limits = QueueLimits {
        max_concurrent_runs: 1 + dice.roll(3) as i64,
        tag_concurrency_limits: vec![TagLimit {
            key: "team".to_owned(),
            value: None,
            limit: 1 + dice.roll(2) as u32,
        }],
    };
    World {
        dice,
        trouble,
        store: Store {
            epoch: 0,
            limits,
            runs: Vec::new(),
        },
        queue: Queue::default(),
        leaders: [None, None],
        now: 0,
        poison: Vec::new(),
        told,
    }
}

/// Says which seed it was, when a check fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SIMULATION_SEED={} shows this again", self.0);
        }
    }
}

fn storm(world: &mut World) {
    if world.dice.percent(25) {
        let step = format!("asset_{}", world.dice.roll(3));
        world.poison.push(step.parse().unwrap());
    }
    world.launch();
    for _ in 0..ACTIONS {
        world.now += 1;
        let process = world.dice.roll(2);
        match world.dice.roll(100) {
            0..=2 if world.store.runs.len() < 5 => {
                world.launch();
                if world.dice.percent(70) {
                    world.reconcile(process);
                }
            }
            3 => world.queue.flush(),
            4..=5 => world.leaders[process] = None,
            // Also while another leads: it was paused, or could not be reached.
            6..=9 => world.take_over(process),
            10..=12 => {
                let kind = world.dice.roll(6);
                world.interfere(process, |state| interference(kind, state));
            }
            13..=15 => world.reconcile(process),
            16..=25 => {
                world.sweep(process);
            }
            26..=50 => {
                world.happen(process);
            }
            51..=70 => {
                world.read_results(process);
            }
            _ => {
                world.work();
            }
        }
    }
}

/// Nothing goes wrong any more, but poison stays poison and what is lost is lost.
fn calm(world: &mut World) {
    world.trouble = Trouble::default();
    world.leaders = [None, None];
    world.take_over(0);
    for _ in 0..PATIENCE {
        world.now += 1;
        if world.happen(0) || world.read_results(0) || world.work() || world.sweep(0) {
            continue;
        }
        if world.all_ended() && world.queue.entries.is_empty() {
            return;
        }
        world.now += LEASE;
        world.reconcile(0);
        let canceling = |state: &super::state::RunState| state.status == RunStatus::Canceling;
        for run in 0..world.store.runs.len() {
            if canceling(&world.store.runs[run].state) && world.queue.entries.is_empty() {
                world.turn(0, vec![(run, Event::CancelTimedOut)], &[], &[]);
            }
        }
    }
    panic!("not every run has ended: {:#?}", world.store.runs);
}

fn seeds() -> (impl Iterator<Item = u64>, bool) {
    let one: Option<u64> = std::env::var("SIMULATION_SEED")
        .ok()
        .map(|seed| seed.parse().expect("SIMULATION_SEED is a number"));
    let all = one.is_none().then_some(0..SCHEDULES);
    (
        one.into_iter().chain(all.into_iter().flatten()),
        one.is_some(),
    )
}

#[test]
fn every_run_ends_once_whatever_happens_and_the_invariants_hold_throughout() {
    let (seeds, told) = seeds();
    let mut seen = [0_usize; 5];
    for seed in seeds {
        let _told_on_failure = Seed(seed);
        let mut world = world(seed, STORMY, told);
        storm(&mut world);
        calm(&mut world);
        for run in &world.store.runs {
            let index = match run.state.status {
                RunStatus::Success => 0,
                RunStatus::Failure if run.dead_letters.is_empty() => 1,
                RunStatus::Failure => 2,
                _ => 3,
            };
            seen[index] += 1;
            seen[4] += usize::from(run.logged(EventKind::StepRetry, None) > 0);
        }
    }
    // The schedules are worth something: every way of ending was seen, often.
    assert!(told || seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn undisturbed_runs_succeed() {
    for seed in 0..200 {
        let _told_on_failure = Seed(seed);
        let mut world = world(seed, Trouble::default(), false);
        for _ in 0..3 {
            world.launch();
        }
        calm(&mut world);
        for run in &world.store.runs {
            assert_eq!(run.state.status, RunStatus::Success);
            assert!(
                run.state
                    .steps
                    .iter()
                    .all(|s| s.status == StepStatus::Success)
            );
            assert_eq!(run.logged(EventKind::StepRetry, None), 0);
        }
    }
}

#[test]
fn a_poisoned_step_always_ends_as_a_dead_letter() {
    for seed in 0..200 {
        let _told_on_failure = Seed(seed);
        let mut world = world(seed, Trouble::default(), false);
        world.poison.push("asset_0".parse().unwrap());
        world.launch();
        calm(&mut world);
        let run = &world.store.runs[0];
        let memoized = run.state.steps[0].memoized;
        let expected = match memoized {
            true => RunStatus::Success,
            false => RunStatus::Failure,
        };
        assert_eq!(run.state.status, expected);
        assert_eq!(run.dead_letters.is_empty(), memoized);
    }
}
