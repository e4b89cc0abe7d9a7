//! Registers the join on its lane and the lookup service on the port.

use crate::handlers::extract::ExtractFeatures;
use crate::handlers::lookup::FeatureLookup;
use async_trait::async_trait;
use kycc_lake::PartyTables;
use kycc_proto::features::v1::feature_service_server::{self, FeatureServiceServer};
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use std::sync::Arc;


pub(crate) struct FeatureStore;

#[async_trait]
impl Module for FeatureStore {
    fn name(&self) -> &'static str {
        "feature-store"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("feature-store")
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[feature_service_server::SERVICE_NAME]
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let lookup = FeatureLookup::new(
            cx.lake.clone(),
            PartyTables::new(cx.lake.clone(), cx.config.memory_bytes),
            OrchestratorServiceClient::new(cx.channel.clone()),
        );
        Ok(Service::builder()
            .handler(Arc::new(ExtractFeatures))
            .grpc(FeatureServiceServer::new(lookup))
            .build())
    }
}
