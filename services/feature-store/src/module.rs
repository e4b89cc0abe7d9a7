//! Registers the join on its lane and the lookup service on the port.

use crate::handlers::current::{ASSET, Held, Told};
use crate::handlers::extract::ExtractFeatures;
use crate::handlers::lookup::FeatureLookup;
use async_trait::async_trait;
use kycc_lake::PartyTables;
use kycc_proto::features::v1::feature_service_server::{self, FeatureServiceServer};
use kycc_runtime::{BuildError, CurrentVersions, Module, ModuleContext, Service};
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
        let written = cx.changes.published.clone();
        let feed = CurrentVersions::new(ASSET, cx.channel.clone(), written);
        let told = Told {
            feed: feed.clone(),
            channel: cx.channel.clone(),
        };
        let tables = PartyTables::new(cx.lake.clone(), cx.config.memory_bytes);
        let lookup = FeatureLookup::new(Held::new(cx.lake.clone(), tables, told));
        Ok(Service::builder()
            .handler(Arc::new(ExtractFeatures))
            .grpc(FeatureServiceServer::new(lookup))
            .background("current features", |stop| feed.follow(stop))
            .build())
    }
}
