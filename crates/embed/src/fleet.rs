//! The fleet as a value of the program that uses it.

use std::net::SocketAddr;

use kycc_runtime::{FleetConfig, RunningFleet, StartError};
use serde_json::Value;
use tonic::transport::Channel;

use crate::{ExecuteError, FinishedRun, execute, modules};

/// All services in this process.
#[derive(Debug)]
pub struct Fleet {
    running: RunningFleet,
}

impl Fleet {
    /// Starts everything and returns once it answers. [`FleetConfig::embedded`] is the config for most programs.
    pub async fn in_process(config: FleetConfig) -> Result<Self, StartError> {
        let running = kycc_runtime::Fleet::start(config, modules()).await?;
        Ok(Self { running })
    }

    /// Launches a job and waits for its end. `config` is Dagster's run config: `{"ops": {…}, "resources": {…}}`.
    ///
    /// A run that fails is no error here; [`FinishedRun::succeeded`] says which it was.
    pub async fn execute_job(&self, job: &str, config: Value) -> Result<FinishedRun, ExecuteError> {
        execute::job(self.channel(), job, &config).await
    }

    /// For the gRPC clients of `kycc-proto`.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.running.channel()
    }

    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.running.grpc_addr()
    }

    #[must_use]
    pub fn config(&self) -> &FleetConfig {
        self.running.config()
    }

    /// Resolves with the reason when something failed that the fleet cannot do without.
    pub async fn failed(&self) -> String {
        self.running.failed().await
    }

    /// Stops in order. Runs that have not ended go on at the next start.
    pub async fn shutdown(self) {
        self.running.shutdown().await;
    }
}
