//! Assembles the service.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::scoring::v1::scoring_service_server::{self, ScoringServiceServer};
use kycc_runtime::{BuildError, CurrentVersions, Module, ModuleContext, Service};

use crate::handlers::cards::Cards;
use crate::handlers::published::PublishedScores;
use crate::handlers::score_batch::{ASSET, ScoreBatch};
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
        let written = cx.changes.published.clone();
        let feed = CurrentVersions::new(ASSET, cx.channel.clone(), written);
        let (lake, channel) = (cx.lake.clone(), cx.channel.clone());
        let published = PublishedScores::new(lake, feed.clone(), channel, cx.config.memory_bytes);
        let cards = Cards::new(Arc::new(cx.channel.clone()), cx.changes.scorecards.clone());
        let service = Scoring::new(published, cards, cx.channel.clone());
        Ok(Service::builder()
            .grpc(ScoringServiceServer::new(service))
            .handler(Arc::new(ScoreBatch))
            .background("current scores", |stop| feed.follow(stop))
            .build())
    }
}
