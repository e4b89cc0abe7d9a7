//! To whom a command talks: a running fleet where there is one, else a fleet that it starts in its own process.

use std::path::PathBuf;

use anyhow::Context;
use kycc_proto::features::v1::feature_service_client::FeatureServiceClient;
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::models::v1::model_service_client::ModelServiceClient;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use kycc_rpc::{ChannelOptions, connect_lazy};
use kycc_runtime::{Fleet, FleetConfig, FolderLock, RunningFleet};
use kycc_telemetry::Format;
use tonic::transport::Channel;

use crate::args::{FleetArgs, Global};
use crate::fleet_config;

pub(crate) type Orchestrator = OrchestratorServiceClient<Channel>;

/// Warnings of a fleet inside a command; its events are shown by the command itself.
const QUIET: &str = "error";

/// An open way to a fleet's services.
pub(crate) struct Connection {
    channel: Channel,
    /// Here, where this process is the fleet.
    embedded: Option<RunningFleet>,
}

impl Connection {
    /// For commands that look: an embedded fleet leaves unfinished runs alone.
    pub(crate) async fn for_reading(global: &Global) -> anyhow::Result<Self> {
        let config = fleet_config::resolve(global, &FleetArgs::default())?;
        match running(global, &config)? {
            Some(connection) => Ok(connection),
            None => {
                embed(FleetConfig {
                    resume_runs: false,
                    ..config
                })
                .await
            }
        }
    }

    /// For commands that run jobs. `files`: what they read; an embedded fleet of one's own may read it.
    pub(crate) async fn for_runs(
        global: &Global,
        args: &FleetArgs,
        files: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let mut config = fleet_config::resolve(global, args)?;
        if let Some(connection) = running(global, &config)? {
            if args.pipeline.is_some() || args.threads.is_some() || args.parties_per_shard.is_some()
            {
                anyhow::bail!(
                    "a fleet is running already, so --pipeline, --threads and --parties-per-shard cannot be applied; \
                     stop it, or start it with them"
                );
            }
            return Ok(connection);
        }
        for file in files {
            let folder = if file.is_dir() {
                Some(file.as_path())
            } else {
                file.parent()
            };
            config.allowed_roots.extend(folder.map(PathBuf::from));
        }
        embed(config).await
    }

    /// For commands that make sense with a running fleet only.
    pub(crate) async fn to_running(global: &Global) -> anyhow::Result<Self> {
        let config = fleet_config::resolve(global, &FleetArgs::default())?;
        running(global, &config)?.with_context(|| {
            format!(
                "no fleet is running on {}; start one with `kycc dev`",
                config.data_dir.display()
            )
        })
    }

    /// Whether this process is the fleet.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Stops the fleet if it is this process's own.
    pub(crate) async fn close(self) {
        if let Some(fleet) = self.embedded {
            fleet.shutdown().await;
        }
    }

    pub(crate) fn orchestrator(&self) -> Orchestrator {
        OrchestratorServiceClient::new(self.channel.clone())
    }

    pub(crate) fn ingestion(&self) -> IngestionServiceClient<Channel> {
        IngestionServiceClient::new(self.channel.clone())
    }

    pub(crate) fn features(&self) -> FeatureServiceClient<Channel> {
        FeatureServiceClient::new(self.channel.clone())
    }

    pub(crate) fn scoring(&self) -> ScoringServiceClient<Channel> {
        ScoringServiceClient::new(self.channel.clone())
    }

    pub(crate) fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channel.clone())
    }

    pub(crate) fn scorecards(&self) -> ScorecardServiceClient<Channel> {
        ScorecardServiceClient::new(self.channel.clone())
    }
}

/// The fleet that was named, or the one that holds the data folder.
fn running(global: &Global, config: &FleetConfig) -> anyhow::Result<Option<Connection>> {
    let address = match &global.server {
        Some(server) => server.clone(),
        None => match FolderLock::holder(&config.data_dir) {
            Some(info) => info.grpc_addr.to_string(),
            None => return Ok(None),
        },
    };
    let channel = connect_lazy(&address, &ChannelOptions::default())?;
    Ok(Some(Connection {
        channel,
        embedded: None,
    }))
}

async fn embed(config: FleetConfig) -> anyhow::Result<Connection> {
    let filter = fleet_config::environment()
        .remove("KYCC_LOG")
        .unwrap_or_else(|| QUIET.into());
    // The guard would flush exporters; an embedded fleet has none, and its process ends with the command.
    kycc_telemetry::init(&filter, Format::Text)?;
    let embedded = FleetConfig::embedded(&config.data_dir);
    let config = FleetConfig {
        grpc_addr: embedded.grpc_addr,
        console_addr: embedded.console_addr,
        ..config
    };
    let fleet = Fleet::start(config, kycc_embed::modules()).await?;
    Ok(Connection {
        channel: fleet.channel(),
        embedded: Some(fleet),
    })
}
