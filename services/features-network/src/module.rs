//! Registers the extractor on its lane. The service keeps no state and answers no calls of its own.

use crate::handlers::ExtractNetworkFeatures;
use async_trait::async_trait;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use std::sync::Arc;

pub(crate) struct FeaturesNetwork;

#[async_trait]
impl Module for FeaturesNetwork {
    fn name(&self) -> &'static str {
        "features-network"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("features-network")
    }

    async fn build(&self, _: &ModuleContext) -> Result<Service, BuildError> {
        Ok(Service::builder()
            .handler(Arc::new(ExtractNetworkFeatures))
            .build())
    }
}
