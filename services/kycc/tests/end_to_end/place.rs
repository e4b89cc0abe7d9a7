//! A data folder of a test's own, and the command run on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest that a test waits for what should take a second or two.
const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Goes with its folder at the end of the test.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// A batch of one's own making.
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) source: PathBuf,
    pub(crate) labels: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command on the data folder `data` of this place, with no configuration from outside.
    pub(crate) fn command(&self, data: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kycc"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KYCC_")) {
            command.env_remove(name);
        }
        command
            .env("USER", "tester")
            .current_dir(self.folder.path());
        command
            .arg("--data-dir")
            .arg(self.path(data))
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, data: &str, arguments: &[&str]) -> Output {
        self.command(data, arguments).output().unwrap()
    }

    /// Standard output of a command that must succeed.
    pub(crate) fn text(&self, data: &str, arguments: &[&str]) -> String {
        let output = self.run(data, arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{arguments:?} failed\n{out}\n{err}"
        );
        out
    }

    /// The same, as JSON.
    pub(crate) fn json(&self, data: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = std::iter::once("--json")
            .chain(arguments.iter().copied())
            .collect();
        let out = self.text(data, &arguments);
        serde_json::from_str(&out)
            .unwrap_or_else(|error| panic!("{arguments:?} printed no JSON ({error})\n{out}"))
    }

    /// Standard error of a command that must fail with code 1.
    pub(crate) fn error(&self, data: &str, arguments: &[&str]) -> String {
        let output = self.run(data, arguments);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?} should fail\n{out}\n{err}"
        );
        format!("{out}{err}")
    }

    pub(crate) fn generate(&self, parties: u32, seed: u32, more: &[&str]) -> Batch {
        let id = format!("B{parties}_{seed}");
        let (parties, seed) = (parties.to_string(), seed.to_string());
        let mut arguments = vec![
            "batch",
            "generate",
            "--parties",
            &parties,
            "--seed",
            &seed,
            "--batch",
            &id,
            "--out",
            "in",
        ];
        arguments.extend(more);
        let written = self.json("unused", &arguments);
        let file = |key: &str| self.folder.path().join(written[key].as_str().unwrap());
        Batch {
            id: id.clone(),
            source: file("source"),
            labels: file("labels"),
        }
    }

    /// Runs the main job to its end and returns the run.
    pub(crate) fn execute(&self, data: &str, batch: &Batch, more: &[&str]) -> Value {
        let mut arguments = vec![
            "job",
            "execute",
            "-j",
            "full_scoring_job",
            "--batch",
            &batch.id,
        ];
        arguments.extend([
            "--file",
            batch.source.to_str().unwrap(),
            "--labels",
            batch.labels.to_str().unwrap(),
        ]);
        arguments.extend(more);
        self.json(data, &arguments)
    }

    /// Starts `kycc dev` on free ports and waits until it answers.
    pub(crate) fn dev(&self, data: &str) -> Dev {
        self.dev_with(data, &[])
    }

    pub(crate) fn dev_with(&self, data: &str, more: &[&str]) -> Dev {
        // One that was killed leaves its note behind.
        let note = self.path(data).join("fleet.json");
        let _ = std::fs::remove_file(&note);
        let mut command = self.command(
            data,
            &[
                "dev",
                "--grpc-addr",
                "127.0.0.1:0",
                "--console-addr",
                "127.0.0.1:0",
            ],
        );
        let child = command
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut dev = Dev { child };
        until("the fleet announces itself", || {
            assert!(
                dev.child.try_wait().unwrap().is_none(),
                "the fleet ended before it answered"
            );
            note.exists().then_some(())
        });
        dev
    }
}

/// A running fleet, killed when the test ends.
pub(crate) struct Dev {
    child: Child,
}

impl Dev {
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Exit code, once it has ended.
    pub(crate) fn wait(mut self) -> Option<i32> {
        let child = &mut self.child;
        until("the fleet ends", || child.try_wait().unwrap()).code()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until there is something to see.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(
            Instant::now() < end,
            "waited {PATIENCE:?} in vain until {what}"
        );
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Digest of every dataset that a run made or found.
pub(crate) fn digests(run: &Value) -> BTreeMap<String, String> {
    let steps = run["steps"].as_array().unwrap().iter();
    let outputs = steps.flat_map(|step| step["outputs"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    outputs
        .map(|output| (text(&output["dataset"]), text(&output["digest"])))
        .collect()
}

/// Files below `folder` of that name.
pub(crate) fn files_named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_named(&path, name));
        } else if path.file_name().is_some_and(|file| file == name) {
            found.push(path);
        }
    }
    found
}
