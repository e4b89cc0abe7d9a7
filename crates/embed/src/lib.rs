//! A whole fleet in one process: what `kycc dev`, tests and other Rust programs start.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let fleet = kycc_embed::Fleet::in_process(kycc_embed::FleetConfig::embedded("kycc-data")).await?;
//! let config = serde_json::json!({"ops": {"ingest_synthetic_batch": {"config": {"batch_id": "BATCH_001"}}}});
//! let run = fleet.execute_job("full_scoring_job", config).await?;
//! assert!(run.succeeded());
//! # Ok(())
//! # }
//! ```

mod execute;
mod finished;
mod fleet;
mod modules;

pub use execute::ExecuteError;
pub use finished::FinishedRun;
pub use fleet::Fleet;
pub use kycc_runtime::{FleetConfig, StartError};
pub use modules::modules;
