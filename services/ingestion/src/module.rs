//! Puts the service together.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::ingestion::v1::ingestion_service_server::{self, IngestionServiceServer};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};

use crate::handlers::grpc::Ingestion;
use crate::handlers::observer::{BatchSource, SOURCE};
use crate::handlers::task::IngestBatch;
use crate::source::roots::Roots;

pub(crate) struct IngestionModule;

#[async_trait]
impl Module for IngestionModule {
    fn name(&self) -> &'static str {
        "ingestion"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("ingestion")
    }

    fn sources(&self) -> &'static [&'static str] {
        &[SOURCE]
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[ingestion_service_server::SERVICE_NAME]
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let roots = Roots::of(&cx.config);
        let scratch = cx.config.data_dir.join("tmp").join("ingestion");
        clear(&scratch)?;
        let orchestrator = OrchestratorServiceClient::new(cx.channel.clone());
        let grpc = Ingestion {
            roots: roots.clone(),
            lake: cx.lake.clone(),
            orchestrator,
        };
        Ok(Service::builder()
            .grpc(IngestionServiceServer::new(grpc))
            .observer(Arc::new(BatchSource {
                roots: roots.clone(),
            }))
            .handler(Arc::new(IngestBatch { roots, scratch }))
            .build())
    }
}

/// What a killed process left behind. One process at a time holds the data folder, so nobody uses it.
fn clear(scratch: &Path) -> Result<(), BuildError> {
    match std::fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let message = format!(
                "cannot clear the folder of temporary files {}",
                scratch.display()
            );
            Err(BuildError::new(message).with_source(error))
        }
        _ => Ok(()),
    }
}
