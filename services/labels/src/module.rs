//! Assembles the service.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::labels::v1::label_service_server::{self, LabelServiceServer};
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use kycc_store::Migration;

use crate::handlers::generate::GenerateLabels;
use crate::handlers::published::PublishedLabels;
use crate::handlers::service::Labels;
use crate::handlers::source::{Observer, SOURCE};
use crate::store::{MIGRATIONS, OutcomeStore};

/// The labels service.
pub fn module() -> Box<dyn Module> {
    Box::new(LabelsModule)
}

struct LabelsModule;

#[async_trait]
impl Module for LabelsModule {
    fn name(&self) -> &'static str {
        "labels"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("labels")
    }

    fn sources(&self) -> &'static [&'static str] {
        &[SOURCE]
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[label_service_server::SERVICE_NAME]
    }

    fn migrations(&self) -> &'static [Migration] {
        &MIGRATIONS
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let store = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn OutcomeStore>);
        let labels = Labels {
            store: Arc::clone(&store),
            clock: Arc::clone(&cx.clock),
            published: PublishedLabels::new(cx.channel.clone(), cx.lake.clone()),
        };
        Ok(Service::builder()
            .grpc(LabelServiceServer::new(labels))
            .observer(Arc::new(Observer {
                store: Arc::clone(&store),
            }))
            .handler(Arc::new(GenerateLabels { store }))
            .build())
    }
}
