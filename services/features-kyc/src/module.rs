//! Registers the extractor on its lane. The service keeps no state and answers no calls of its own.

use crate::handlers::ExtractKycFeatures;
use async_trait::async_trait;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use std::sync::Arc;

pub(crate) struct FeaturesKyc;

#[async_trait]
impl Module for FeaturesKyc {
    fn name(&self) -> &'static str {
        "features-kyc"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("features-kyc")
    }

    async fn build(&self, _: &ModuleContext) -> Result<Service, BuildError> {
        Ok(Service::builder()
            .handler(Arc::new(ExtractKycFeatures))
            .build())
    }
}
