//! To whom a command talks: a running fleet where there is one, else a fleet that it starts in its own process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use kycc_client::{Client, ClientOptions};
use kycc_proto::audit::v1::audit_service_client::AuditServiceClient;
use kycc_proto::features::v1::feature_service_client::FeatureServiceClient;
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::labels::v1::label_service_client::LabelServiceClient;
use kycc_proto::models::v1::model_service_client::ModelServiceClient;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use kycc_runtime::{Fleet, FleetConfig, FolderLock, LockError, RunningFleet, StartError};
use kycc_telemetry::Format;
use tempfile::TempDir;

use crate::args::{FleetArgs, Global};
use crate::{fleet_config, grants, remote};

pub(crate) type Orchestrator = OrchestratorServiceClient<Client>;

/// A fleet inside a command logs nothing: the command itself shows its events.
const QUIET: &str = "off";

/// How often and how long the folder is waited for; a fleet that starts takes well under a second.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Longest that a question is waited for; comparing cards over many batches takes minutes.
const DEADLINE: Duration = Duration::from_secs(300);

/// An open way to a fleet's services.
pub(crate) struct Connection {
    client: Client,
    /// Here, where this process is the fleet.
    embedded: Option<RunningFleet>,
    /// Goes with the connection, where the fleet has no folder of its own.
    _scratch: Option<TempDir>,
}

impl Connection {
    /// For commands that look at data: there must be some. An embedded fleet leaves unfinished runs alone.
    pub(crate) async fn for_reading(global: &Global) -> anyhow::Result<Self> {
        let config = quiet(global)?;
        if remote::named(global)?.is_none() && !has_data(&config) {
            bail!(
                "there is no data folder {}; name one with --data-dir or KYCC_DATA_DIR, or start with `kycc dev` or `kycc \
                 job execute`",
                config.data_dir.display()
            );
        }
        running_or_embedded(global, config).await
    }

    /// For commands that look at what the program brings along: jobs, assets, features. Where there is no data yet, a fleet
    /// in a folder that goes away again answers.
    pub(crate) async fn for_catalogue(global: &Global) -> anyhow::Result<Self> {
        let config = quiet(global)?;
        if remote::named(global)?.is_some() || has_data(&config) {
            return running_or_embedded(global, config).await;
        }
        let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
        let elsewhere = FleetConfig::embedded(scratch.path());
        let config = FleetConfig {
            data_dir: elsewhere.data_dir,
            store_url: elsewhere.store_url,
            lake_url: elsewhere.lake_url,
            landing: elsewhere.landing,
            ..config
        };
        let connection = running_or_embedded(global, config).await?;
        Ok(Self {
            _scratch: Some(scratch),
            ..connection
        })
    }

    /// For commands that write and run nothing: the folder is made where there is none.
    pub(crate) async fn for_writing(global: &Global) -> anyhow::Result<Self> {
        running_or_embedded(global, quiet(global)?).await
    }

    /// For commands that run jobs. `files`: what they read; an embedded fleet of one's own may read it.
    pub(crate) async fn for_runs(
        global: &Global,
        args: &FleetArgs,
        files: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let mut config = fleet_config::resolve(global, args)?;
        // Labels may lie beside the batch without being named.
        let beside = files.iter().filter_map(|file| labels_beside(file));
        let inputs: Vec<PathBuf> = files.iter().cloned().chain(beside).collect();
        if remote::named(global)?.is_none() {
            grants::add(&config.data_dir, &inputs)?;
        }
        config.allowed_roots.extend(inputs);
        let connection = running_or_embedded(global, config).await?;
        let typed =
            args.pipeline.is_some() || args.threads.is_some() || args.parties_per_shard.is_some();
        if typed && !connection.is_embedded() {
            bail!(
                "a fleet is running already, so --pipeline, --threads and --parties-per-shard cannot be applied; stop \
                 it, or start it with them"
            );
        }
        Ok(connection)
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
        self.client.orchestrator()
    }

    pub(crate) fn ingestion(&self) -> IngestionServiceClient<Client> {
        self.client.ingestion()
    }

    pub(crate) fn features(&self) -> FeatureServiceClient<Client> {
        self.client.features()
    }

    pub(crate) fn scoring(&self) -> ScoringServiceClient<Client> {
        self.client.scoring()
    }

    pub(crate) fn labels(&self) -> LabelServiceClient<Client> {
        self.client.labels()
    }

    pub(crate) fn models(&self) -> ModelServiceClient<Client> {
        self.client.models()
    }

    pub(crate) fn audit(&self) -> AuditServiceClient<Client> {
        self.client.audit()
    }

    pub(crate) fn scorecards(&self) -> ScorecardServiceClient<Client> {
        self.client.scorecards()
    }
}

/// A person who waits can stop waiting.
fn patient(options: ClientOptions) -> ClientOptions {
    ClientOptions {
        deadline: DEADLINE,
        ..options
    }
}

/// What is in force, for a fleet that leaves unfinished runs alone.
fn quiet(global: &Global) -> anyhow::Result<FleetConfig> {
    Ok(FleetConfig {
        resume_runs: false,
        ..fleet_config::resolve(global, &FleetArgs::default())?
    })
}

/// Whether there is anything to look at: a data folder, or a state store that lies elsewhere.
fn has_data(config: &FleetConfig) -> bool {
    let own = FleetConfig::in_folder(&config.data_dir).store_url;
    config.data_dir.is_dir() || config.store_url.expose() != own.expose()
}

/// `<BATCH>_labels.json` beside `<BATCH>_profiles.json` or beside a folder `<BATCH>`.
fn labels_beside(source: &Path) -> Option<PathBuf> {
    let stem = if source.is_dir() {
        source.file_name()
    } else {
        source.file_stem()
    };
    let batch = stem?.to_str()?;
    let batch = batch.strip_suffix("_profiles").unwrap_or(batch);
    let labels = source.with_file_name(format!("{batch}_labels.json"));
    labels.is_file().then_some(labels)
}

/// The fleet that was named, or the one that holds the data folder.
fn running(global: &Global, config: &FleetConfig) -> anyhow::Result<Option<Connection>> {
    let (options, ours) = match remote::named(global)? {
        Some(options) => (options, global.server.is_some()),
        None => match FolderLock::holder(&config.data_dir) {
            Some(info) if info.shared => {
                let address = ClientOptions::new(info.grpc_addr.to_string());
                let options = ClientOptions {
                    tls: remote::ca_file(),
                    ..address
                };
                (remote::with_key(options), true)
            }
            _ => return Ok(None),
        },
    };
    // Beside a fleet's own configuration, as its processes reach each other; a context says itself how its fleet is reached.
    let as_peers = config.security.peer_tls.clone().filter(|_| ours);
    let options = ClientOptions {
        tls: options.tls.or(as_peers),
        ..options
    };
    Ok(Some(Connection {
        client: Client::connect(patient(options))?,
        embedded: None,
        _scratch: None,
    }))
}

/// The running fleet, or one of our own. Another command may hold the folder for a moment: it is waited for.
async fn running_or_embedded(global: &Global, config: FleetConfig) -> anyhow::Result<Connection> {
    let filter = fleet_config::environment()
        .remove("KYCC_LOG")
        .unwrap_or_else(|| QUIET.into());
    let mut logging = false;
    let mut looks = LOOKS;
    loop {
        if let Some(connection) = running(global, &config)? {
            return Ok(connection);
        }
        if config.is_shared_store() {
            bail!(
                "the state store {} belongs to a fleet of several processes; name one of them with --server or KYCC_SERVER",
                config.store_url
            );
        }
        if !logging {
            // The guard would flush exporters; an embedded fleet has none, and its process ends with the command.
            kycc_telemetry::init(&filter, Format::Text)?;
            logging = true;
        }
        let embedded = FleetConfig::embedded(&config.data_dir);
        let own = FleetConfig {
            grpc_addr: embedded.grpc_addr,
            console_addr: embedded.console_addr,
            shared: embedded.shared,
            ..config.clone()
        };
        match Box::pin(Fleet::start(own, kycc_embed::modules())).await {
            Ok(fleet) => {
                return Ok(Connection {
                    // As the owner of the process, who has nothing to show.
                    client: Client::over(fleet.channel(), patient(ClientOptions::new("")))?,
                    embedded: Some(fleet),
                    _scratch: None,
                });
            }
            Err(StartError::Lock(LockError::InUse { .. })) if looks > 1 => {
                looks -= 1;
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
