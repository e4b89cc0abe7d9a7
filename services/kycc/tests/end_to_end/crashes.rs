//! Whenever the process dies, starting it again finishes the run with the same digests.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use kycc_runtime::crash::{POINTS, TAKE_OVER_POINTS};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::place::{Batch, Place, digests, until};

const SIGKILL: i32 = 9;
const PARTIES: u32 = 120;
const SEED: u32 = 3;

/// A place with a batch, and what an undisturbed run makes of it.
struct Scene {
    place: Place,
    batch: Batch,
    expected: BTreeMap<String, String>,
    /// How long that took.
    took: Duration,
}

impl Scene {
    fn new() -> Self {
        let place = Place::new();
        let batch = place.generate(PARTIES, SEED, &[]);
        let started = std::time::Instant::now();
        let expected = digests(&place.execute("undisturbed", &batch, &[]));
        Self {
            place,
            batch,
            expected,
            took: started.elapsed(),
        }
    }

    fn arguments(&self) -> Vec<&str> {
        let (source, labels) = (
            self.batch.source.to_str().unwrap(),
            self.batch.labels.to_str().unwrap(),
        );
        vec![
            "job",
            "execute",
            "-j",
            "full_scoring_job",
            "--batch",
            &self.batch.id,
            "--file",
            source,
            "--labels",
            labels,
        ]
    }

    /// After a crash: whatever run was accepted goes on when the fleet starts again, and ends as if nothing had happened.
    fn comes_back(&self, data: &str, what: &str) {
        let dev = self.place.dev(data);
        let runs = self.place.json(data, &["run", "list"]);
        if runs["runs"].as_array().unwrap().is_empty() {
            // Nobody was told that the run exists; it is launched again.
            self.place.execute(data, &self.batch, &[]);
        }
        let run = until("the run has ended", || {
            let runs = self.place.json(data, &["run", "list"]);
            let ended = |run: &&Value| {
                matches!(
                    run["status"].as_str(),
                    Some("SUCCESS" | "FAILURE" | "CANCELED")
                )
            };
            runs["runs"].as_array().unwrap().iter().find(ended).cloned()
        });
        assert_eq!(run["status"], "SUCCESS", "{what}: {run:#}");
        assert_eq!(digests(&run), self.expected, "{what}");
        dev.signal("TERM");
        assert_eq!(dev.wait(), Some(0), "{what}");
        std::fs::remove_dir_all(self.place.path(data)).unwrap();
    }

    /// Starts the fleet on what a dead process left, and waits until it has died at the point.
    fn dies_at_start(&self, data: &str, point: &str) -> bool {
        let arguments = [
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--console-addr",
            "127.0.0.1:0",
        ];
        let mut dev = self.place.command(data, &arguments);
        let mut child = dev
            .env("KYCC_CRASH_AT", point)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = until("the fleet has died", || child.try_wait().unwrap());
        status.signal() == Some(SIGKILL)
    }

    /// Kills the command at the n-th pass of a point; false if it ended by itself before.
    fn killed_at(&self, data: &str, point: &str) -> bool {
        let mut command = self.place.command(data, &self.arguments());
        let status = command
            .env("KYCC_CRASH_AT", point)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        status.signal() == Some(SIGKILL)
    }
}

#[test]
fn killed_at_every_named_point_it_finishes_with_the_same_digests() {
    let scene = Scene::new();
    for point in POINTS {
        assert!(scene.killed_at("data", point), "{point} was never passed");
        scene.comes_back("data", point);
    }
}

#[test]
fn killed_while_it_takes_up_what_another_left_behind_it_finishes_with_the_same_digests() {
    let scene = Scene::new();
    for point in TAKE_OVER_POINTS {
        // The first process leaves a task behind that it never pushed.
        assert!(scene.killed_at("data", "orchestrator.after_dispatch_commit"));
        assert!(scene.dies_at_start("data", point), "{point}");
        scene.comes_back("data", point);
    }
}

#[test]
fn killed_at_every_persisted_state_it_finishes_with_the_same_digests() {
    let scene = Scene::new();
    for point in [
        "orchestrator.after_dispatch_commit",
        "orchestrator.after_result_commit",
        "lake.after_manifest",
    ] {
        let mut pass = 1;
        while scene.killed_at("data", &format!("{point}:{pass}")) {
            scene.comes_back("data", &format!("{point}:{pass}"));
            pass += 1;
        }
        assert!(
            pass > 5,
            "{point} was passed {pass} times only; a run has nine steps"
        );
        std::fs::remove_dir_all(scene.place.path("data")).unwrap();
    }
}

/// Kills at `kills` times drawn from `seed`, spread over the time that a run takes.
fn killed_at_random_times(seed: u64, kills: u32) {
    let scene = Scene::new();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for kill in 0..kills {
        let after = scene.took.mul_f64(random.random_range(0.0..1.1));
        let mut command = scene.place.command("data", &scene.arguments());
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(after);
        // It may have ended by itself: then there is nothing to come back from but the finished run.
        let _ = child.kill();
        child.wait().unwrap();
        scene.comes_back("data", &format!("seed {seed}, kill {kill} after {after:?}"));
    }
}

#[test]
fn killed_at_fifty_random_times_it_finishes_with_the_same_digests() {
    killed_at_random_times(1, 50);
}

#[test]
fn killed_at_fifty_other_random_times_it_finishes_with_the_same_digests() {
    killed_at_random_times(2, 50);
}

#[test]
fn killed_at_a_third_fifty_random_times_it_finishes_with_the_same_digests() {
    killed_at_random_times(3, 50);
}

#[test]
fn killed_at_a_fourth_fifty_random_times_it_finishes_with_the_same_digests() {
    killed_at_random_times(4, 50);
}
