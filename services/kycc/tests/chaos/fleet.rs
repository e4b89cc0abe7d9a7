//! Processes of the real command beside servers of their own.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::trouble::{Kind, Trouble};

/// Each of them does half of the fleet's work, and either orchestrator may lead.
const ORCHESTRATORS: [&str; 2] = ["orchestrator-1", "orchestrator-2"];
const WORKERS: [&str; 2] = ["worker-1", "worker-2"];
const TASK_SERVICES: &[&str] = &[
    "ingestion",
    "features-kyc",
    "features-transaction",
    "features-network",
    "feature-store",
    "scoring",
    "labels",
    "training",
    "scorecards",
];
/// The definitions that are built in.
const PIPELINE: &str = include_str!("../../../orchestrator/pipeline.yaml");
pub(crate) const PRINCIPAL: &str = "tester";
const START: Duration = Duration::from_secs(60);

pub(crate) struct Fleet {
    folder: Option<tempfile::TempDir>,
    environment: BTreeMap<String, String>,
    ports: BTreeMap<&'static str, u16>,
    running: BTreeMap<&'static str, Child>,
}

impl Fleet {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The servers run as a user of their own, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let names = ORCHESTRATORS.iter().chain(&WORKERS);
        let ports: BTreeMap<_, _> = names.map(|name| (*name, free_port())).collect();
        let mut fleet = Self {
            folder: Some(folder),
            environment: BTreeMap::new(),
            ports,
            running: BTreeMap::new(),
        };
        fleet.servers("start", &["without-s3"]);
        fleet.configure();
        let migrated = fleet.command(&["migrate"]).status().unwrap();
        assert!(migrated.success(), "kycc migrate failed");
        fleet.recover();
        fleet.wait_until_serving();
        fleet
    }

    fn configure(&mut self) {
        let file = std::fs::read_to_string(self.path("servers/env")).unwrap();
        let urls: BTreeMap<_, _> = file.lines().filter_map(|l| l.split_once('=')).collect();
        // Half of the services are asked of one worker, half of the other.
        let mut peers: Vec<String> = TASK_SERVICES
            .iter()
            .zip(WORKERS.iter().cycle())
            .map(|(service, worker)| format!("{service}=127.0.0.1:{}", self.ports[worker]))
            .collect();
        peers.push(format!(
            "orchestrator=127.0.0.1:{}",
            self.ports[ORCHESTRATORS[0]]
        ));
        let folder = |name: &str| self.path(name).display().to_string();
        // Here workers die of the test's troubles, which strike one task as often as they like: that poisons no task.
        let pipeline = PIPELINE.replacen("max_deliveries: 3", "max_deliveries: 100", 1);
        assert_ne!(pipeline, PIPELINE);
        std::fs::write(self.path("pipeline.yaml"), pipeline).unwrap();
        std::fs::create_dir_all(self.path("landing")).unwrap();
        std::fs::create_dir_all(self.path("logs")).unwrap();
        self.environment = [
            ("KYCC_STORE_URL", urls["TEST_POSTGRES_URL"].to_owned()),
            ("KYCC_QUEUE_URL", urls["TEST_REDIS_URL"].to_owned()),
            ("KYCC_LAKE_URL", format!("file://{}", folder("lake"))),
            ("KYCC_LANDING", folder("landing")),
            ("KYCC_PIPELINE", folder("pipeline.yaml")),
            ("KYCC_PEERS", peers.join(",")),
            ("KYCC_LOCAL_PRINCIPAL", PRINCIPAL.to_owned()),
            ("KYCC_LEASE_SECONDS", "1".to_owned()),
            ("KYCC_LEADER_LEASE_SECONDS", "2".to_owned()),
            ("KYCC_DRAIN_SECONDS", "4".to_owned()),
            ("KYCC_THREADS", "1".to_owned()),
            ("KYCC_LOG", "warn,kycc=info".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kycc"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KYCC_")) {
            command.env_remove(name);
        }
        command.envs(&self.environment).args(arguments);
        command
    }

    /// Starts every process that is not running, and both servers; wakes all that are paused.
    pub(crate) fn recover(&mut self) {
        self.servers("start", &["without-s3"]);
        for name in self.processes() {
            let Some(child) = self.running.get_mut(name) else {
                self.launch(name);
                continue;
            };
            match child.try_wait().unwrap() {
                None => signal(child.id(), "CONT"),
                Some(status) => {
                    println!("{name} ended by itself: {status}");
                    self.launch(name);
                }
            }
        }
    }

    fn launch(&mut self, name: &'static str) {
        let services: &[&str] = match ORCHESTRATORS.contains(&name) {
            true => &["orchestrator"],
            false => TASK_SERVICES,
        };
        let address = format!("127.0.0.1:{}", self.ports[name]);
        let data = self.path(name).display().to_string();
        let mut arguments = vec!["--data-dir", &data, "serve"];
        arguments.extend(services);
        arguments.extend(["--grpc-addr", &address]);
        let log = self.log(name);
        let child = self
            .command(&arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        self.running.insert(name, child);
    }

    fn log(&self, name: &str) -> File {
        let path = self.path("logs").join(format!("{name}.log"));
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    }

    fn wait_until_serving(&mut self) {
        let end = Instant::now() + START;
        for name in self.processes() {
            let address = format!("127.0.0.1:{}", self.ports[name]);
            loop {
                let asked = self
                    .command(&["--server", &address, "health"])
                    .output()
                    .unwrap();
                if asked.status.success() {
                    break;
                }
                let child = self.running.get_mut(name).unwrap();
                assert!(
                    child.try_wait().unwrap().is_none(),
                    "{name} ended; see {}",
                    self.keep().join("logs").display()
                );
                assert!(
                    Instant::now() < end,
                    "{name} takes no calls after {START:?}"
                );
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    pub(crate) fn suffer(&mut self, trouble: &Trouble) {
        match &trouble.kind {
            Kind::Kill { process, away } => {
                let child = self.running.get_mut(process).unwrap();
                // It may be paused, or dead already.
                let _ = child.kill();
                child.wait().unwrap();
                std::thread::sleep(*away);
                self.launch(process);
            }
            Kind::Pause { process, away } => {
                let id = self.running[process].id();
                signal(id, "STOP");
                std::thread::sleep(*away);
                signal(id, "CONT");
            }
            Kind::EmptyRedis => {
                let emptied = Command::new("redis-cli")
                    .args(["-u", self.redis(), "flushall"])
                    .output()
                    .unwrap();
                assert!(emptied.status.success());
            }
            Kind::RestartRedis => {
                self.servers("kill", &["redis"]);
                self.servers("start", &["without-s3"]);
            }
            Kind::RestartPostgres => {
                self.servers("kill", &["postgres"]);
                self.servers("start", &["without-s3"]);
            }
        }
    }

    fn servers(&self, verb: &str, more: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers.sh");
        let ended = Command::new(script)
            .arg(verb)
            .arg(self.path("servers"))
            .args(more)
            .output()
            .unwrap();
        assert!(
            ended.status.success(),
            "servers.sh {verb} failed: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.as_ref().unwrap().path().join(name)
    }

    pub(crate) fn landing(&self) -> PathBuf {
        self.path("landing")
    }

    pub(crate) fn redis(&self) -> &str {
        &self.environment["KYCC_QUEUE_URL"]
    }

    pub(crate) fn processes(&self) -> Vec<&'static str> {
        self.ports.keys().copied().collect()
    }

    pub(crate) fn orchestrators(&self) -> Vec<String> {
        let address = |name| format!("127.0.0.1:{}", self.ports[name]);
        ORCHESTRATORS.iter().map(address).collect()
    }

    /// Leaves the folder, with its logs, for whoever looks into a failure.
    fn keep(&mut self) -> PathBuf {
        let folder = self.folder.take().unwrap().keep();
        println!("logs and data are kept in {}", folder.display());
        folder
    }

    /// In order, and every process must end well.
    pub(crate) fn stop(&mut self) {
        for child in self.running.values() {
            signal(child.id(), "TERM");
        }
        for (name, child) in &mut self.running {
            let status = child.wait().unwrap();
            assert!(status.success(), "{name} ended with {status}");
        }
        self.running.clear();
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if self.folder.is_some() {
            self.servers("stop", &[]);
        }
        if std::thread::panicking() && self.folder.is_some() {
            self.keep();
        }
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(process.to_string())
        .status()
        .unwrap();
    assert!(sent.success());
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
