//! Registers the extractor on its lane. The service keeps no state and answers no calls of its own.

use crate::handlers::ExtractTxnFeatures;
use async_trait::async_trait;
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use std::sync::Arc;

pub(crate) struct FeaturesTransaction;

#[async_trait]
impl Module for FeaturesTransaction {
    fn name(&self) -> &'static str {
        "features-transaction"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("features-transaction")
    }

    async fn build(&self, _: &ModuleContext) -> Result<Service, BuildError> {
        Ok(Service::builder()
            .handler(Arc::new(ExtractTxnFeatures))
            .build())
    }
}
