//! Assembles the orchestrator from the fleet's parts.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_proto::orchestrator::v1::orchestrator_service_server::{self, OrchestratorServiceServer};
use kycc_runtime::{BuildError, Module, ModuleContext, Service};
use kycc_store::Migration;

use crate::definitions::Catalogue;
use crate::engine::{Contender, EngineHandle, EngineParts, FleetOutside, Roots};
use crate::handlers::Api;
use crate::store::{MIGRATIONS, RunStore};

#[derive(Debug)]
pub(crate) struct Orchestrator;

#[async_trait]
impl Module for Orchestrator {
    fn name(&self) -> &'static str {
        "orchestrator"
    }

    fn lane(&self) -> Option<&'static str> {
        None
    }

    fn grpc(&self) -> &'static [&'static str] {
        &[orchestrator_service_server::SERVICE_NAME]
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let parties_per_shard = cx.config.parties_per_shard.map(u64::from);
        let catalogue = Catalogue::open(
            cx.config.pipeline.clone(),
            parties_per_shard,
            Arc::clone(&cx.table),
        )
        .map_err(|error| {
            BuildError::new("cannot load the pipeline's definitions").with_source(error)
        })?;
        let catalogue = Arc::new(catalogue);
        let store = kycc_store::with_driver!(cx.store.clone(), |store| Arc::new(store)
            as Arc<dyn RunStore>);
        let mut service = Service::builder();
        // A process that only reads leaves the runs of others alone.
        let handle = if cx.config.resume_runs {
            let folders = cx.config.allowed_roots.iter().chain([&cx.config.landing]);
            let (handle, contender) = Contender::new(EngineParts {
                store: Arc::clone(&store),
                queue: Arc::clone(&cx.queue),
                outside: Arc::new(FleetOutside {
                    channel: cx.channel.clone(),
                    lake: cx.lake.clone(),
                    roots: Roots::new(folders.cloned()),
                    clock: Arc::clone(&cx.clock),
                }),
                catalogue: Arc::clone(&catalogue),
                clock: Arc::clone(&cx.clock),
                published: cx.changes.published.clone(),
                lease: cx.config.lease(),
                leader_lease: cx
                    .config
                    .is_shared_store()
                    .then(|| cx.config.leader_lease()),
                address: cx.address.clone(),
            });
            service = service.background("orchestrator leader", |stop| contender.run(stop));
            handle
        } else {
            EngineHandle::reading_only()
        };
        let api = Api {
            store,
            catalogue,
            engine: handle,
            clock: Arc::clone(&cx.clock),
            queue: Arc::clone(&cx.queue),
            leader: Arc::default(),
            peer_options: cx.peer_options.clone(),
        };
        Ok(service.grpc(OrchestratorServiceServer::new(api)).build())
    }
}
