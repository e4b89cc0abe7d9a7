//! Assembles the service.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::expert::expert_card;
use kycc_proto::audit::v1::audit_service_server::{self, AuditServiceServer};
use kycc_proto::scorecards::v1::rule_service_server::{self, RuleServiceServer};
use kycc_proto::scorecards::v1::scorecard_service_server::{self, ScorecardServiceServer};
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use kycc_store::Migration;

use crate::core::standing::Standing;
use crate::core::version::{Status, Version};
use crate::handlers::audit::Audit;
use crate::handlers::refine::Refine;
use crate::handlers::rules::Rules;
use crate::handlers::service::Scorecards;
use crate::handlers::source::{
    ACTIVE, ActiveRules, ActiveScorecard, RULES, SHADOW, ShadowScorecard,
};
use crate::store::{ChangeError, LogStore, MIGRATIONS, RuleStore, VersionStore};

/// The scorecards service.
pub fn module() -> Box<dyn Module> {
    Box::new(ScorecardsModule)
}

struct ScorecardsModule;

#[async_trait]
impl Module for ScorecardsModule {
    fn name(&self) -> &'static str {
        "scorecards"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("scorecards")
    }

    fn sources(&self) -> &'static [&'static str] {
        &[ACTIVE, SHADOW, RULES]
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[
            scorecard_service_server::SERVICE_NAME,
            rule_service_server::SERVICE_NAME,
            audit_service_server::SERVICE_NAME,
        ]
    }

    fn migrations(&self) -> &'static [Migration] {
        &MIGRATIONS
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let store = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn VersionStore>);
        let rule_sets = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn RuleStore>);
        open(store.as_ref(), rule_sets.as_ref(), cx.clock.now_micros()).await?;
        let versions = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn LogStore>);
        // Here, since this chain is verified together with what it is about; the others lie in the same table.
        let audit = Audit {
            log: kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
                as Arc<dyn kycc_audit::AuditStore>),
            versions: Arc::clone(&versions),
        };
        let service = Scorecards {
            store: Arc::clone(&store),
            audit: Arc::clone(&versions),
            clock: Arc::clone(&cx.clock),
            identity_provider: cx.config.security.auth.is_configured(),
            changed: cx.changes.scorecards.clone(),
            stopping: cx.spawner.stopping(),
        };
        let rules = Rules {
            store: Arc::clone(&rule_sets),
            clock: Arc::clone(&cx.clock),
            channel: cx.channel.clone(),
            lake: cx.lake.clone(),
            changed: cx.changes.scorecards.clone(),
            identity_provider: cx.config.security.auth.is_configured(),
        };
        let refine = Refine {
            store: Arc::clone(&store),
            clock: Arc::clone(&cx.clock),
        };
        Ok(Service::builder()
            .grpc(ScorecardServiceServer::new(service))
            .grpc(RuleServiceServer::new(rules))
            .grpc(AuditServiceServer::new(audit))
            .observer(Arc::new(ActiveRules { store: rule_sets }))
            .observer(Arc::new(ActiveScorecard {
                store: Arc::clone(&store),
            }))
            .observer(Arc::new(ShadowScorecard { store }))
            .handler(Arc::new(refine))
            .build())
    }
}

/// A log that does not account for the versions is no reason not to start: scores go on, and every change is refused.
async fn open(
    store: &dyn VersionStore,
    rules: &dyn RuleStore,
    now_micros: i64,
) -> Result<(), BuildError> {
    let opened = match store.open(&expert(now_micros)).await {
        Ok(()) => rules.open_rules(now_micros).await,
        broken => broken,
    };
    match opened {
        Err(error @ ChangeError::Unaccounted { .. }) => {
            tracing::error!(%error, "no scorecard or rule set can be proposed, approved or activated");
            Ok(())
        }
        Err(error) => {
            Err(BuildError::new("cannot enter its first scorecard and rules").with_source(error))
        }
        Ok(()) => Ok(()),
    }
}

/// The card that a fresh fleet starts with.
fn expert(now_micros: i64) -> Version {
    Version {
        card: expert_card(),
        gates: None,
        missing_link: Some("it was learned from nothing".into()),
        author: "kycc".into(),
        parent: None,
        model_id: None,
        run_id: None,
        blend: 0.0,
        created_at_micros: now_micros,
        standing: Standing {
            note: Some("the built-in expert card".into()),
            activated_at_micros: Some(now_micros),
            ..Standing::of(Status::Active)
        },
    }
}
