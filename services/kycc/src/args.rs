//! What can be typed: one enum per noun, one variant per verb.

mod audit;
mod batch;
mod context;
mod dead_letters;
mod key;
mod report;
mod score;
mod scorecard;
mod trials;
mod upload;
mod workbench;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use audit::AuditCommand;
pub(crate) use batch::{BatchCommand, BatchFormat, GenerateArgs};
pub(crate) use context::{AddContextArgs, ContextCommand};
pub(crate) use dead_letters::{DeadLettersCommand, ListDeadLettersArgs};
pub(crate) use key::{CreateKeyArgs, KeyCommand};
pub(crate) use report::{ReportArgs, ReportCommand};
pub(crate) use score::{ImproveArgs, ScoreCommand};
pub(crate) use scorecard::ScorecardCommand;
pub(crate) use trials::TrialCommand;
pub(crate) use upload::UploadArgs;
pub(crate) use workbench::{
    BinArgs, CardArgs, ClassWeightArg, CompareArgs, ImputeArg, MeasureArgs, MetricsArgs, ModelArgs,
    PageArgs, PenaltyArg, PsiArgs, ScalingArg, ScalingArgs, WorkbenchCommand,
};

/// Where data lies unless it is said otherwise.
pub(crate) const DEFAULT_DATA_DIR: &str = "./kycc-data";

/// Scores the companies in a supply chain: ingest, features, scorecard, labels, model, refinement.
#[derive(Debug, Parser)]
#[command(name = "kycc", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    #[arg(long, global = true, env = "KYCC_DATA_DIR", help = format!("Where data lies when the fleet runs in this process [default: {DEFAULT_DATA_DIR}]"))]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (YAML).
    #[arg(long, global = true, env = "KYCC_CONFIG", value_name = "FILE")]
    pub(crate) config_file: Option<PathBuf>,
    /// A running fleet to talk to, e.g. http://127.0.0.1:50051. By default the one that holds the data folder.
    #[arg(long, global = true, env = "KYCC_SERVER")]
    pub(crate) server: Option<String>,
    /// The fleet of this name (`kycc context`).
    #[arg(long, global = true, env = "KYCC_CONTEXT", conflicts_with = "server")]
    pub(crate) context: Option<String>,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start every service in this process.
    Dev(DevArgs),
    /// Start some of the services in this process, beside others that share Postgres, Redis and the lake with it.
    Serve(ServeArgs),
    /// Ask a process whether it takes calls; the exit code is 0 for SERVING.
    Health,
    /// Run jobs.
    #[command(subcommand)]
    Job(JobCommand),
    /// Look at runs, stop and retry them.
    #[command(subcommand)]
    Run(RunCommand),
    /// Look at assets, or make one of your own data.
    #[command(subcommand)]
    Asset(AssetCommand),
    /// Batches: generate, list, show, and what they left out.
    #[command(subcommand)]
    Batch(BatchCommand),
    /// Scores of parties.
    #[command(subcommand)]
    Score(ScoreCommand),
    /// Feature vectors of parties.
    #[command(subcommand)]
    Feature(FeatureCommand),
    /// What became of parties: recorded outcomes, and the labels made of them.
    #[command(subcommand)]
    Label(LabelCommand),
    /// Trained models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Versions of the scorecard.
    #[command(subcommand)]
    Scorecard(ScorecardCommand),
    /// Who did what to what, and whether that log is intact.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What a run made of a batch: bands, explained scores, model, draft against the active card, places.
    Report(ReportArgs),
    /// The scoring core on a CSV or Parquet file of your own: no fleet, no data folder.
    #[command(subcommand)]
    Workbench(WorkbenchCommand),
    /// Make a running fleet read its pipeline definitions again.
    Reload,
    /// Bring the tables of the state store up to date, which a fleet of several processes does not do by itself.
    Migrate(MigrateArgs),
    /// Names for fleets elsewhere: where they are, and who you are to them.
    #[command(subcommand)]
    Context(ContextCommand),
    /// Print completions of commands for a shell.
    Completions { shell: clap_complete::Shell },
    /// Write a man page for every command into a folder.
    Man { folder: PathBuf },
    /// API keys for callers of a fleet with authentication.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the configuration in force, secrets masked.
    Config(FleetArgs),
}

/// Settings of a fleet in this process. Each can also be set by environment (KYCC_…) or file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FleetArgs {
    /// Pipeline definitions instead of the built-in ones.
    #[arg(short = 'f', long = "pipeline")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Threads for computing; by default one per core.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Parties per shard; larger batches are cut into several tasks.
    #[arg(long)]
    pub(crate) parties_per_shard: Option<u32>,
    /// Another folder that inputs may be read from (repeatable).
    #[arg(long = "allow-root", value_name = "DIR")]
    pub(crate) allow_roots: Vec<PathBuf>,
    /// Listen beyond this machine though no authentication is configured: everybody may do everything.
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
    /// Listen beyond this machine in clear text, where something in front speaks TLS.
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Change nothing; the exit code is 0 where there is nothing to do, else 1.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Where gRPC listens.
    #[arg(long, default_value = "127.0.0.1:50051")]
    pub(crate) grpc_addr: SocketAddr,
    /// Where the console listens.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub(crate) console_addr: SocketAddr,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

/// What is not given here comes from the environment (KYCC_STORE_URL, KYCC_QUEUE_URL, KYCC_LAKE_URL, …) or the file.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Names of the services, e.g. orchestrator or scoring; `all` for every one.
    #[arg(required = true)]
    pub(crate) services: Vec<String>,
    /// Where gRPC listens.
    #[arg(long)]
    pub(crate) grpc_addr: Option<SocketAddr>,
    /// Where the console listens.
    #[arg(long)]
    pub(crate) console_addr: Option<SocketAddr>,
    /// Where the other processes reach this one; by default the address of gRPC.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) advertise: Option<String>,
    /// Where a service is that this process does not have (repeatable).
    #[arg(long = "peer", value_name = "SERVICE=HOST:PORT", value_parser = crate::commands::peer)]
    pub(crate) peers: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Launch a job and follow it to its end; the exit code is 0 for SUCCESS, 1 for FAILURE, 3 for CANCELED.
    Execute(Box<ExecuteArgs>),
    /// The jobs there are.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct ExecuteArgs {
    /// Name of the job.
    #[arg(short, long)]
    pub(crate) job: String,
    /// Run config as JSON, or a file that holds it: {"ops": {"<asset>": {"config": {…}}}}.
    #[arg(long)]
    pub(crate) config: Option<String>,
    /// The batch: a document or a folder, as a path or a file:// URL. Sets ops.ingest_synthetic_batch.config.source_uri.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// Outcomes of the batch. Sets ops.ingest_synthetic_batch.config.labels_uri.
    #[arg(long)]
    pub(crate) labels: Option<PathBuf>,
    /// Batch to run for; by default the config's, else the one that --file is named after.
    #[arg(long)]
    pub(crate) batch: Option<String>,
    /// Tag of the run, key=value (repeatable).
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) tags: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Newest runs.
    List {
        #[arg(long)]
        job: Option<String>,
        #[arg(long)]
        batch: Option<String>,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// One run with its steps.
    Show { run: String },
    /// The event log of a run.
    Logs {
        run: String,
        /// Go on until the run has ended.
        #[arg(long)]
        follow: bool,
    },
    /// Ask a run to stop.
    Cancel { run: String },
    /// Run it again, from the failed steps unless told otherwise, and follow it.
    Retry {
        run: String,
        /// Every step, not only those that failed or were skipped.
        #[arg(long)]
        all_steps: bool,
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Tasks that workers died of, and runs that do them again.
    DeadLetters {
        #[command(subcommand)]
        command: Option<DeadLettersCommand>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssetCommand {
    /// Every asset of the graph.
    List,
    /// One asset: definition, config schema, newest materializations.
    Show { asset: String },
    /// Run one asset alone, on files that stand in for its inputs.
    Materialize(MaterializeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MaterializeArgs {
    pub(crate) asset: String,
    /// A dataset that it reads, from a Parquet, CSV or NDJSON file (repeatable).
    #[arg(long = "input", value_name = "DATASET=FILE", value_parser = key_value)]
    pub(crate) inputs: Vec<(String, String)>,
    /// Run config as JSON, or a file that holds it.
    #[arg(long)]
    pub(crate) config: Option<String>,
    /// Batch (partition) to make it for.
    #[arg(long)]
    pub(crate) batch: String,
    /// The instant that the files are of, such as 2026-01-31T00:00:00Z.
    #[arg(long)]
    pub(crate) as_of: Option<chrono::DateTime<chrono::Utc>>,
    #[command(flatten)]
    pub(crate) fleet: FleetArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FeatureCommand {
    /// The feature vector of one party.
    Get {
        party: String,
        #[arg(long)]
        batch: String,
    },
    /// One party's features in one batch beside those in another.
    Compare {
        party: String,
        /// By default the batch extracted last.
        #[arg(long)]
        batch: Option<String>,
        /// By default the batch before it in time.
        #[arg(long)]
        base: Option<String>,
    },
    /// Every feature with its definition.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// How many labels of each kind a batch has, and by which policy.
    Stats {
        /// By default the batch labelled last.
        #[arg(long)]
        batch: Option<String>,
    },
    /// Labels of a batch in party order, of every labelling, the newest first.
    List {
        #[arg(long)]
        batch: String,
        /// Only this party.
        #[arg(long)]
        party: Option<String>,
        /// Only the current labels.
        #[arg(long)]
        current: bool,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Record outcomes from a JSON array or one JSON object per line: {party_id, kind, days_past_due, occurred_at}. The exit
    /// code is 1 when one of them is wrong; the others are recorded all the same, and recording them again is harmless.
    Record {
        file: PathBuf,
        /// Where they come from; kept with each.
        #[arg(long)]
        source: String,
    },
    /// Recorded outcomes of a party, oldest first.
    Outcomes {
        party: String,
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Newest models.
    List {
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// One model; the newest when none is named.
    Show { model: Option<String> },
    /// How it does on its holdout: ROC, KS, calibration, lift.
    Curves {
        /// By default the newest.
        model: Option<String>,
    },
    /// What each factor alone tells of bad: weight of evidence by optimal bins of the training rows.
    Bins {
        /// By default the newest.
        model: Option<String>,
        /// Only this one, with all its bins.
        #[arg(long)]
        feature: Option<String>,
    },
    /// Two models side by side: what they learned from, metrics, coefficients.
    Compare { first: String, second: String },
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("'{text}' is not of the form name=value")),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn no_two_arguments_of_a_command_share_a_name() {
        Cli::command().debug_assert();
    }
}
