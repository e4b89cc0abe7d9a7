//! One source of configuration: every key optional, unknown keys refused.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kycc_rpc::Principal;
use serde::Deserialize;

use super::{ConfigError, ConnectionUrl, FleetConfig, SecurityLayer};

/// Keys that one source sets. The file is YAML with these names; the environment has them as `KYCC_<NAME>`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigLayer {
    pub data_dir: Option<PathBuf>,
    pub grpc_addr: Option<SocketAddr>,
    pub console_addr: Option<ConsoleAddr>,
    pub store_url: Option<String>,
    pub lake_url: Option<String>,
    pub queue_url: Option<String>,
    pub landing: Option<PathBuf>,
    pub allowed_roots: Option<Vec<PathBuf>>,
    pub pipeline: Option<PathBuf>,
    pub threads: Option<usize>,
    pub memory_bytes: Option<usize>,
    pub parties_per_shard: Option<u32>,
    pub tasks_per_lane: Option<usize>,
    pub lease_seconds: Option<u64>,
    pub start_patience_seconds: Option<u64>,
    pub drain_seconds: Option<u64>,
    pub drain_delay_seconds: Option<u64>,
    pub leader_lease_seconds: Option<u64>,
    pub advertise: Option<String>,
    pub peers: Option<BTreeMap<String, String>>,
    pub resume_runs: Option<bool>,
    pub migrate: Option<bool>,
    pub local_principal: Option<String>,
    pub security: Option<SecurityLayer>,
}

/// An address, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ConsoleText")]
pub enum ConsoleAddr {
    Off,
    At(SocketAddr),
}

/// YAML reads a bare `off` as false in some of its versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum ConsoleText {
    Flag(bool),
    Text(String),
}

impl TryFrom<ConsoleText> for ConsoleAddr {
    type Error = String;
    fn try_from(text: ConsoleText) -> Result<Self, String> {
        match text {
            ConsoleText::Flag(false) => Ok(Self::Off),
            ConsoleText::Flag(true) => Err("expected host:port or off".to_owned()),
            ConsoleText::Text(text) => text.parse(),
        }
    }
}

impl std::str::FromStr for ConsoleAddr {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| "expected host:port or off".to_owned())
    }
}

impl ConfigLayer {
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_yaml(&text, path)
    }

    /// `path` is for the error's text.
    pub fn from_yaml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let layer: Option<Self> =
            serde_saphyr::from_str(text).map_err(|error| ConfigError::Parse {
                path: path.to_owned(),
                // The parser does not know where its text comes from.
                problem: error
                    .to_string()
                    .replace("<input>", &path.display().to_string()),
            })?;
        Ok(layer.unwrap_or_default())
    }

    /// What `other` sets wins.
    #[must_use]
    pub fn overridden_by(self, other: Self) -> Self {
        // Taken apart by name, so that a new key cannot be forgotten here.
        let Self {
            data_dir,
            grpc_addr,
            console_addr,
            store_url,
            lake_url,
            queue_url,
            landing,
            allowed_roots,
            pipeline,
            threads,
            memory_bytes,
            parties_per_shard,
            tasks_per_lane,
            lease_seconds,
            start_patience_seconds,
            drain_seconds,
            drain_delay_seconds,
            leader_lease_seconds,
            advertise,
            peers,
            resume_runs,
            migrate,
            local_principal,
            security,
        } = other;
        Self {
            data_dir: data_dir.or(self.data_dir),
            grpc_addr: grpc_addr.or(self.grpc_addr),
            console_addr: console_addr.or(self.console_addr),
            store_url: store_url.or(self.store_url),
            lake_url: lake_url.or(self.lake_url),
            queue_url: queue_url.or(self.queue_url),
            landing: landing.or(self.landing),
            allowed_roots: allowed_roots.or(self.allowed_roots),
            pipeline: pipeline.or(self.pipeline),
            threads: threads.or(self.threads),
            memory_bytes: memory_bytes.or(self.memory_bytes),
            parties_per_shard: parties_per_shard.or(self.parties_per_shard),
            tasks_per_lane: tasks_per_lane.or(self.tasks_per_lane),
            lease_seconds: lease_seconds.or(self.lease_seconds),
            start_patience_seconds: start_patience_seconds.or(self.start_patience_seconds),
            drain_seconds: drain_seconds.or(self.drain_seconds),
            drain_delay_seconds: drain_delay_seconds.or(self.drain_delay_seconds),
            leader_lease_seconds: leader_lease_seconds.or(self.leader_lease_seconds),
            advertise: advertise.or(self.advertise),
            peers: peers.or(self.peers),
            resume_runs: resume_runs.or(self.resume_runs),
            migrate: migrate.or(self.migrate),
            local_principal: local_principal.or(self.local_principal),
            security: match (self.security, security) {
                (Some(own), Some(other)) => Some(own.overridden_by(other)),
                (own, other) => other.or(own),
            },
        }
    }

    pub(super) fn over_defaults(self) -> Result<FleetConfig, ConfigError> {
        let default = self
            .data_dir
            .map_or_else(FleetConfig::default, FleetConfig::in_folder);
        let url = |set: Option<String>, default| set.map_or(default, ConnectionUrl::new);
        Ok(FleetConfig {
            grpc_addr: self.grpc_addr.unwrap_or(default.grpc_addr),
            console_addr: match self.console_addr {
                Some(ConsoleAddr::At(addr)) => Some(addr),
                Some(ConsoleAddr::Off) => None,
                None => default.console_addr,
            },
            store_url: url(self.store_url, default.store_url),
            lake_url: url(self.lake_url, default.lake_url),
            queue_url: url(self.queue_url, default.queue_url),
            landing: self.landing.unwrap_or(default.landing),
            allowed_roots: self.allowed_roots.unwrap_or(default.allowed_roots),
            pipeline: self.pipeline.or(default.pipeline),
            threads: self.threads.unwrap_or(default.threads),
            memory_bytes: self.memory_bytes.unwrap_or(default.memory_bytes),
            parties_per_shard: self.parties_per_shard.or(default.parties_per_shard),
            tasks_per_lane: self.tasks_per_lane.unwrap_or(default.tasks_per_lane),
            lease_seconds: self.lease_seconds.unwrap_or(default.lease_seconds),
            start_patience_seconds: self
                .start_patience_seconds
                .unwrap_or(default.start_patience_seconds),
            drain_seconds: self.drain_seconds.unwrap_or(default.drain_seconds),
            drain_delay_seconds: self
                .drain_delay_seconds
                .unwrap_or(default.drain_delay_seconds),
            leader_lease_seconds: self
                .leader_lease_seconds
                .unwrap_or(default.leader_lease_seconds),
            advertise: self.advertise.or(default.advertise),
            services: default.services,
            peers: self.peers.unwrap_or(default.peers),
            resume_runs: self.resume_runs.unwrap_or(default.resume_runs),
            migrate: self.migrate.unwrap_or(default.migrate),
            local_principal: self
                .local_principal
                .map_or(default.local_principal, Principal::new),
            security: Box::new(self.security.unwrap_or_default().resolve()?),
            shared: default.shared,
            data_dir: default.data_dir,
        })
    }
}
