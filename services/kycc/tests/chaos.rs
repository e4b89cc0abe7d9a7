//! Chaos on real processes: while runs execute on a fleet with its own PostgreSQL and Redis, processes are killed and
//! paused, Redis is emptied and restarted, PostgreSQL is restarted. Every run must end as if nothing had happened.
//!
//! `CHAOS_SEED` repeats what a failure printed; `CHAOS_ROUNDS` says how many rounds (10, or 50 in `make chaos`).
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

#[path = "chaos/calls.rs"]
mod calls;
#[path = "chaos/checks.rs"]
mod checks;
#[path = "chaos/fleet.rs"]
mod fleet;
#[path = "chaos/reference.rs"]
mod reference;
#[path = "chaos/trouble.rs"]
mod trouble;

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use calls::Front;
use fleet::Fleet;
use reference::Reference;

const ROUNDS: u32 = 10;
const RUNS_PER_ROUND: u32 = 3;
/// Until all runs of a round have ended, counted from the end of the trouble.
const PATIENCE: Duration = Duration::from_secs(120);

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text:?} is no number")),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_every_run_ends_as_if_nothing_had_happened() {
    let seed = setting("CHAOS_SEED").unwrap_or_else(rand::random);
    let rounds = setting("CHAOS_ROUNDS").map_or(ROUNDS, |rounds| u32::try_from(rounds).unwrap());
    println!("CHAOS_SEED={seed} CHAOS_ROUNDS={rounds}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut fleet = Fleet::start();
    let front = Front::new(fleet.orchestrators());
    let reference = Reference::start(fleet.landing()).await;
    for round in 1..=rounds {
        let began = Instant::now();
        let mut runs = Vec::new();
        for number in 0..RUNS_PER_ROUND {
            let batch = reference
                .batch(&format!("R{round}_{number}"), random.random())
                .await;
            let run_id = front.launch(&batch).await;
            runs.push((run_id, batch));
        }
        let troubles = trouble::draw(&mut random, fleet.processes());
        println!("round {round}: {troubles:?}");
        for trouble in &troubles {
            tokio::time::sleep(trouble.after).await;
            fleet.suffer(trouble);
        }
        fleet.recover();
        let over = Instant::now();
        for (run_id, batch) in &runs {
            let run = front.ended(run_id, PATIENCE).await;
            checks::run(&run, batch);
            checks::events(&front.events(run_id).await, run_id);
        }
        checks::nothing_is_left(&front, fleet.redis()).await;
        println!(
            "round {round}: whole after {:.1} s, {:.1} s after the last trouble",
            began.elapsed().as_secs_f64(),
            over.elapsed().as_secs_f64()
        );
    }
    fleet.stop();
}
