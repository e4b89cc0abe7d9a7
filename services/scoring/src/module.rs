//! Assembles the service.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::scoring::v1::scoring_service_server::{self, ScoringServiceServer};
use kycc_runtime::{BuildError, Module, ModuleContext, Service};

use crate::handlers::score_batch::ScoreBatch;
use crate::handlers::service::Scoring;

/// The scoring service.
pub fn module() -> Box<dyn Module> {
    Box::new(ScoringModule)
}

struct ScoringModule;

#[async_trait]
impl Module for ScoringModule {
    fn name(&self) -> &'static str {
        "scoring"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("scoring")
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[scoring_service_server::SERVICE_NAME]
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let service = Scoring::new(cx.channel.clone(), cx.lake.clone());
        Ok(Service::builder()
            .grpc(ScoringServiceServer::new(service))
            .handler(Arc::new(ScoreBatch))
            .build())
    }
}
