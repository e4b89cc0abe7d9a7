//! The configuration of a fleet: default < file < environment < flags.

mod env;
mod layer;
mod security;
mod url;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use kycc_rpc::Principal;
use serde::Serialize;

pub use layer::{ConfigLayer, ConsoleAddr};
pub use security::{
    ClientTlsLayer, JwtLayer, LimitsLayer, SecretText, SecurityConfig, SecurityLayer,
    ServerTlsLayer,
};
pub use url::ConnectionUrl;

/// What is in force. Printed with its secrets masked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetConfig {
    /// Everything that the fleet keeps on local disk; one process at a time holds it.
    pub data_dir: PathBuf,
    pub grpc_addr: SocketAddr,
    /// Where the console listens; none without one.
    pub console_addr: Option<SocketAddr>,
    pub store_url: ConnectionUrl,
    pub lake_url: ConnectionUrl,
    pub queue_url: ConnectionUrl,
    /// Where batches are looked for that name no source, and where uploads go.
    pub landing: PathBuf,
    /// Folders, beside `landing`, that inputs may be read from.
    pub allowed_roots: Vec<PathBuf>,
    /// Pipeline definitions instead of those built in.
    pub pipeline: Option<PathBuf>,
    /// Threads that compute, shared by all lanes.
    pub threads: usize,
    /// For the queries of one task; what does not fit is spilled to disk.
    pub memory_bytes: usize,
    /// Largest shard of a batch; none leaves it to the pipeline's definitions.
    pub parties_per_shard: Option<u32>,
    /// Tasks that one lane works on at the same moment.
    pub tasks_per_lane: usize,
    /// How long a worker may be silent before its task is given to another.
    pub lease_seconds: u64,
    /// How long a start waits for a shared state store and queue to answer.
    pub start_patience_seconds: u64,
    /// How long running work may take to end when the fleet stops.
    pub drain_seconds: u64,
    /// How long calls are still taken after health checks are told that none are: for balancers to hear of it.
    pub drain_delay_seconds: u64,
    /// How long the leading orchestrator may be silent before another takes over.
    pub leader_lease_seconds: u64,
    /// Where other processes of the fleet reach this one, as host:port; by default its gRPC address.
    pub advertise: Option<String>,
    /// The services of this process, by name; all, where none is named.
    pub services: Vec<String>,
    /// Where the services are that this process does not have: host:port by service name.
    pub peers: BTreeMap<String, String>,
    /// Whether runs that were left unfinished go on. Commands that only read leave them alone.
    pub resume_runs: bool,
    /// Whether tables of an older version are brought up to date at the start. Otherwise they are refused, and somebody runs
    /// `kycc migrate` before.
    pub migrate: bool,
    /// Whether other commands may talk to it. One inside another program, or a command, ends when that does.
    pub shared: bool,
    /// Who every caller is, as long as no authentication is configured.
    #[serde(serialize_with = "as_text")]
    pub local_principal: Principal,
    /// Who may call, over what, and how much. Boxed, since configs are handed from future to future.
    pub security: Box<SecurityConfig>,
}

fn as_text<S: serde::Serializer>(principal: &Principal, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(principal.as_str())
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self::in_folder("kycc-data")
    }
}

impl FleetConfig {
    /// The defaults, with everything under `data_dir`.
    pub fn in_folder(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        // SQLite and the lake take absolute paths; a folder that cannot be made absolute fails when it is opened.
        let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
        Self {
            grpc_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 50051)),
            console_addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))),
            store_url: ConnectionUrl::new(format!(
                "sqlite://{}",
                data_dir.join("state.db").display()
            )),
            lake_url: ConnectionUrl::of_folder(&data_dir.join("lake")),
            queue_url: ConnectionUrl::new("memory:"),
            landing: data_dir.join("landing"),
            allowed_roots: Vec::new(),
            pipeline: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: 512 * 1024 * 1024,
            parties_per_shard: None,
            tasks_per_lane: 1,
            lease_seconds: 30,
            start_patience_seconds: 60,
            drain_seconds: 10,
            drain_delay_seconds: 0,
            leader_lease_seconds: 6,
            advertise: None,
            services: Vec::new(),
            peers: BTreeMap::new(),
            resume_runs: true,
            migrate: true,
            shared: true,
            local_principal: Principal::anonymous(),
            security: Box::default(),
            data_dir,
        }
    }

    /// A fleet inside another program: any free port on loopback, no console.
    pub fn embedded(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            grpc_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            console_addr: None,
            shared: false,
            ..Self::in_folder(data_dir)
        }
    }

    /// Layers in rising order of precedence: usually file, environment, flags.
    pub fn resolve(layers: impl IntoIterator<Item = ConfigLayer>) -> Result<Self, ConfigError> {
        let merged = layers
            .into_iter()
            .fold(ConfigLayer::default(), ConfigLayer::overridden_by);
        let config = merged.over_defaults()?;
        config.validate()?;
        Ok(config)
    }

    /// What must hold across fields.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let at_least_one = [
            ("threads", self.threads as u64),
            ("tasks_per_lane", self.tasks_per_lane as u64),
            ("lease_seconds", self.lease_seconds),
            ("leader_lease_seconds", self.leader_lease_seconds),
            (
                "parties_per_shard",
                u64::from(self.parties_per_shard.unwrap_or(1)),
            ),
        ];
        for (key, value) in at_least_one {
            if value == 0 {
                return Err(ConfigError::value(key, "0", "at least 1"));
            }
        }
        if self.memory_bytes < MIN_MEMORY_BYTES {
            return Err(ConfigError::value(
                "memory_bytes",
                &self.memory_bytes.to_string(),
                "at least 33554432 (32 MiB)",
            ));
        }
        let shared_queue = self.queue_url.expose() != "memory:";
        if self.is_shared_store() != shared_queue {
            return Err(ConfigError::value(
                "queue_url",
                &self.queue_url.to_string(),
                "a queue that reaches as far as the state store: memory: beside sqlite:, redis:// beside postgres://",
            ));
        }
        if !self.services.is_empty() && !shared_queue {
            return Err(ConfigError::value(
                "queue_url",
                "memory:",
                "redis://host:port (and a state store postgres://…): a process with some of the services shares both with the others",
            ));
        }
        let beyond = |addr: &SocketAddr| !addr.ip().is_loopback();
        if let Some(addr) = self.console_addr.filter(beyond) {
            return Err(ConfigError::value(
                "console_addr",
                &addr.to_string(),
                "a loopback address such as 127.0.0.1:3000: the console does not ask who looks, so nobody else may reach it",
            ));
        }
        let several = !self.services.is_empty() || !self.peers.is_empty();
        let addr = self.grpc_addr.to_string();
        self.security
            .validate(&addr, beyond(&self.grpc_addr), several)?;
        Ok(())
    }

    #[must_use]
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    #[must_use]
    pub fn leader_lease(&self) -> Duration {
        Duration::from_secs(self.leader_lease_seconds)
    }

    #[must_use]
    pub fn start_patience(&self) -> Duration {
        Duration::from_secs(self.start_patience_seconds)
    }

    #[must_use]
    pub fn drain_delay(&self) -> Duration {
        Duration::from_secs(self.drain_delay_seconds)
    }

    /// Whether the state store is a server that other processes use too; a SQLite file belongs to the process that holds the
    /// data folder.
    #[must_use]
    pub fn is_shared_store(&self) -> bool {
        !self.store_url.expose().starts_with("sqlite:")
    }

    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

const MIN_MEMORY_BYTES: usize = 32 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the configuration file {} is not valid: {problem}", path.display())]
    Parse { path: PathBuf, problem: String },
    #[error("{key}={value:?} is not valid: expected {expected}")]
    Value {
        key: String,
        value: String,
        expected: String,
    },
    #[error("the environment variable {key} is none that kycc knows; it knows {known}")]
    UnknownVariable { key: String, known: String },
}

impl ConfigError {
    pub(crate) fn value(key: &str, value: &str, expected: &str) -> Self {
        Self::Value {
            key: key.to_owned(),
            value: value.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn file(text: &str) -> ConfigLayer {
        ConfigLayer::from_yaml(text, std::path::Path::new("kycc.yaml")).unwrap()
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let file = file("threads: 3\nlease_seconds: 7\ndrain_seconds: 8\n");
        let environment = ConfigLayer::from_env(&variables(&[
            ("KYCC_THREADS", "4"),
            ("KYCC_LEASE_SECONDS", "9"),
        ]))
        .unwrap();
        let flags = ConfigLayer {
            threads: Some(5),
            ..ConfigLayer::default()
        };
        let config = FleetConfig::resolve([file, environment, flags]).unwrap();
        assert_eq!(config.threads, 5, "flag");
        assert_eq!(config.lease_seconds, 9, "environment");
        assert_eq!(config.drain_seconds, 8, "file");
        assert_eq!(config.tasks_per_lane, 1, "default");
    }

    #[test]
    fn the_places_of_things_follow_the_data_folder_unless_they_are_set() {
        let layer = file("data_dir: /srv/kycc\nlake_url: s3://bucket/lake\n");
        let config = FleetConfig::resolve([layer]).unwrap();
        assert_eq!(config.store_url.expose(), "sqlite:///srv/kycc/state.db");
        assert_eq!(config.landing, PathBuf::from("/srv/kycc/landing"));
        assert_eq!(config.lake_url.expose(), "s3://bucket/lake");
    }

    #[test]
    fn store_and_queue_must_reach_equally_far() {
        for text in ["store_url: postgres://db/kycc", "queue_url: redis://queue"] {
            let error = FleetConfig::resolve([file(text)]).unwrap_err();
            assert!(
                error.to_string().contains("as far as the state store"),
                "{error}"
            );
        }
        let some = FleetConfig {
            services: vec!["scoring".to_owned()],
            ..FleetConfig::default()
        };
        let error = some.validate().unwrap_err();
        assert!(error.to_string().contains("redis://host:port"), "{error}");
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_by_name() {
        let path = std::path::Path::new("kycc.yaml");
        let error = ConfigLayer::from_yaml("thraeds: 3\n", path).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("kycc.yaml") && text.contains("thraeds"),
            "{text}"
        );
        assert!(!text.contains("<input>"), "{text}");
    }

    #[test]
    fn an_empty_file_changes_nothing() {
        assert_eq!(file(""), ConfigLayer::default());
        assert_eq!(file("# nothing\n"), ConfigLayer::default());
    }

    #[test]
    fn values_that_make_no_sense_are_refused_with_what_is_expected() {
        let error = FleetConfig::resolve([file("threads: 0")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "threads=\"0\" is not valid: expected at least 1"
        );
        let open = FleetConfig::resolve([file("grpc_addr: 0.0.0.0:50051")]).unwrap_err();
        assert!(open.to_string().contains("loopback"), "{open}");
        let open = FleetConfig::resolve([file("console_addr: 0.0.0.0:3000")]).unwrap_err();
        assert!(open.to_string().contains("console_addr"), "{open}");
    }

    #[test]
    fn the_console_can_be_switched_off() {
        let config = FleetConfig::resolve([file("console_addr: off")]).unwrap();
        assert_eq!(config.console_addr, None);
    }

    #[test]
    fn secrets_are_masked_wherever_the_config_is_printed() {
        let layer = file("store_url: postgres://kycc:hunter2@db/kycc\nqueue_url: redis://queue");
        let config = FleetConfig::resolve([layer]).unwrap();
        let printed = [
            format!("{config:?}"),
            serde_json::to_string(&config).unwrap(),
            config.store_url.to_string(),
        ];
        for text in printed {
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("postgres://kycc:***@db/kycc"), "{text}");
        }
    }
}
