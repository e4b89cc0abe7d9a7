//! Assembles the service.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::models::v1::model_service_server::{self, ModelServiceServer};
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use kycc_store::Migration;

use crate::handlers::service::Models;
use crate::handlers::train_model::TrainModel;
use crate::store::{MIGRATIONS, ModelStore};

/// The training service.
pub fn module() -> Box<dyn Module> {
    Box::new(TrainingModule)
}

struct TrainingModule;

#[async_trait]
impl Module for TrainingModule {
    fn name(&self) -> &'static str {
        "training"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("training")
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[model_service_server::SERVICE_NAME]
    }

    fn migrations(&self) -> &'static [Migration] {
        &MIGRATIONS
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let store = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn ModelStore>);
        let handler = TrainModel {
            store: Arc::clone(&store),
            clock: Arc::clone(&cx.clock),
        };
        Ok(Service::builder()
            .grpc(ModelServiceServer::new(Models { store }))
            .handler(Arc::new(handler))
            .build())
    }
}
