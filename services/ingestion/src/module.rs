//! Puts the service together.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::ingestion::v1::ingestion_service_server::{self, IngestionServiceServer};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use kycc_store::Migration;
use tokio::sync::Semaphore;

use crate::handlers::grpc::Ingestion;
use crate::handlers::observer::{BatchSource, SOURCE};
use crate::handlers::task::IngestBatch;
use crate::handlers::upload::Uploads;
use crate::handlers::validate::Validator;
use crate::landed::Landed;
use crate::limits::Limits;
use crate::source::roots::Roots;
use crate::store::{MIGRATIONS, UploadStore};

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

    fn migrations(&self) -> &'static [Migration] {
        &MIGRATIONS
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let roots = Roots::of(&cx.config);
        let scratch = cx.config.data_dir.join("tmp").join("ingestion");
        clear(&scratch)?;
        let orchestrator = OrchestratorServiceClient::new(cx.channel.clone());
        let limits = Limits::default();
        let uploads = Uploads {
            store: kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
                as Arc<dyn UploadStore>),
            landed: Landed::new(roots.landing()),
            launcher: Arc::new(orchestrator.clone()),
            clock: Arc::clone(&cx.clock),
            spawner: cx.spawner.clone(),
            limits,
            places: Arc::new(Semaphore::new(limits.calls)),
        };
        let validator = Validator {
            roots: roots.clone(),
            uploads: uploads.clone(),
            sources: Arc::new(Semaphore::new(limits.sources)),
        };
        let grpc = Ingestion {
            roots: roots.clone(),
            lake: cx.lake.clone(),
            orchestrator,
            uploads: uploads.clone(),
            validator,
        };
        Ok(Service::builder()
            .grpc(IngestionServiceServer::new(grpc))
            .observer(Arc::new(BatchSource {
                roots: roots.clone(),
            }))
            .background("upload housekeeping", |stop| uploads.keep_house(stop))
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
