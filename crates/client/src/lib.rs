//! A client of kycc for other backends: one connection, with deadlines, credentials, and retries that stay within a budget.
//!
//! ```no_run
//! use kycc_client::{Client, ClientOptions, Credentials, idempotent};
//! use kycc_client::orchestrator::LaunchRunRequest;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = ClientOptions {
//!     credentials: Credentials::TokenFile("/run/secrets/kycc-token".into()),
//!     ..ClientOptions::new("https://kycc.example.com:443")
//! };
//! let client = Client::connect(options)?;
//! let launch = LaunchRunRequest {
//!     job: "full_scoring_job".to_owned(),
//!     batch_id: "BATCH_001".to_owned(),
//!     request_id: "nightly-2026-11-24".to_owned(),
//!     ..LaunchRunRequest::default()
//! };
//! let run = client.orchestrator().launch_run(idempotent(launch)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Every call that is no stream gets a deadline. Calls that only read are made again after errors that pass (UNAVAILABLE,
//! or an error with RetryInfo); those that change something only where [`idempotent`] says that they carry a `request_id`.
//! Retries of all calls together are bounded, so that a server in trouble is not buried by those who wait for it.

mod budget;
mod credentials;
mod deadline;
mod method;
mod options;
mod send;

use std::sync::Arc;

use kycc_proto::audit::v1::audit_service_client::AuditServiceClient;
use kycc_proto::features::v1::feature_service_client::FeatureServiceClient;
use kycc_proto::ingestion::v1::ingestion_service_client::IngestionServiceClient;
use kycc_proto::labels::v1::label_service_client::LabelServiceClient;
use kycc_proto::models::v1::model_service_client::ModelServiceClient;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::scorecards::v1::rule_service_client::RuleServiceClient;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use tonic::transport::Channel;

use budget::Budget;
use credentials::Bearer;

pub use credentials::{Credentials, CredentialsError};
pub use kycc_proto::audit::v1 as audit;
pub use kycc_proto::features::v1 as features;
pub use kycc_proto::ingestion::v1 as ingestion;
pub use kycc_proto::labels::v1 as labels;
pub use kycc_proto::models::v1 as models;
pub use kycc_proto::orchestrator::v1 as orchestrator;
pub use kycc_proto::scorecards::v1 as scorecards;
pub use kycc_proto::scoring::v1 as scoring;
pub use kycc_proto::work::v1 as work;
pub use kycc_rpc::{ClientError, ClientTls};
pub use options::{ClientOptions, RetryOptions};
pub use send::{Idempotent, idempotent};

/// Why a client could not be made; nothing is connected to yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Address(#[from] kycc_rpc::AddressError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

/// A way to a fleet. Clones share the connection and the budget of retries.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    bearer: Arc<Bearer>,
    budget: Arc<Budget>,
    options: Arc<ClientOptions>,
}

impl Client {
    /// Connects with the first call, and again whenever it has to. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the address is none, a file of TLS or the token's cannot be read.
    pub fn connect(options: ClientOptions) -> Result<Self, ConnectError> {
        let bearer = Bearer::open(&options.credentials)?;
        let channel = kycc_rpc::connect_lazy(&options.address, &options.channel())?;
        Ok(Self {
            channel,
            bearer: Arc::new(bearer),
            budget: Arc::new(Budget::new(&options.retry)),
            options: Arc::new(options),
        })
    }

    /// Over a channel that is there already, such as that of a fleet in this process.
    ///
    /// # Errors
    /// When the token's file cannot be read.
    pub fn over(channel: Channel, options: ClientOptions) -> Result<Self, CredentialsError> {
        Ok(Self {
            channel,
            bearer: Arc::new(Bearer::open(&options.credentials)?),
            budget: Arc::new(Budget::new(&options.retry)),
            options: Arc::new(options),
        })
    }
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident),+ $(,)?) => {
        impl Client {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(&self) -> $client<Self> {
                    $client::new(self.clone())
                }
            )+
        }
    };
}

services! {
    /// Who did what to what.
    audit: AuditServiceClient,
    /// Feature vectors, and the catalogue that explains them.
    features: FeatureServiceClient,
    /// Batches on their way into the lake.
    ingestion: IngestionServiceClient,
    /// Labels and outcomes.
    labels: LabelServiceClient,
    /// What was learned.
    models: ModelServiceClient,
    /// Runs, jobs and assets.
    orchestrator: OrchestratorServiceClient,
    /// Decision rules and their life.
    rules: RuleServiceClient,
    /// Versions of the scorecard and their life.
    scorecards: ScorecardServiceClient,
    /// Scores and what made them.
    scoring: ScoringServiceClient,
}
