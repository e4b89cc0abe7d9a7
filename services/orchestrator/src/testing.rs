//! A small fleet for tests: a real store and queue, workers and a world outside that do as they are told.

mod outside;
mod queue;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::orchestrator::v1 as api;
use kycc_queue::TaskQueue;
use kycc_rpc::ApiError;
use kycc_runtime::{Changed, Clock, ModuleTable, SystemClock};
use kycc_store::sqlite::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::core::{EventKind, RunStatus};
use crate::definitions::Catalogue;
use crate::engine::{Contender, EngineParts, Seat};
use crate::handlers::Api;
use crate::store::{MIGRATIONS, RunStore, StoredEvent, StoredRun};
pub(crate) use outside::FakeOutside;
pub(crate) use queue::ForgetfulQueue;
pub(crate) use workers::{Act, Workers, result_of, success};

const PATIENCE: Duration = Duration::from_secs(30);

/// `ingest` ← `left`, `right` ← `join`; `learn` reads what `join` made of all batches.
pub(crate) const PIPELINE: &str = r#"
location_name: test
assets:
  - key: ingest
    lane: a
    code_version: "1"
    sources: [file]
    outputs: [parties]
    partition_config: batch_id
    files: { config: source_files, datasets: [parties] }
    config_schema:
      type: object
      additionalProperties: false
      required: [batch_id]
      properties: { batch_id: { type: string }, source_files: { type: object }, level: { type: integer, default: 1 } }
  - { key: left, lane: b, code_version: "1", deps: [ingest], inputs: [parties], outputs: [kyc_features], sharded: true }
  - { key: right, lane: b, code_version: "1", deps: [ingest], inputs: [parties], outputs: [transaction_features] }
  - { key: join, lane: c, code_version: "1", deps: [left, right], inputs: [kyc_features, transaction_features], outputs: [features] }
  - { key: learn, lane: c, code_version: "1", deps: [join], all_batches: [features], outputs: [model] }
jobs:
  - { name: all, assets: [ingest, left, right, join] }
  - { name: first, assets: [ingest] }
  - { name: learning, assets: [learn] }
run_queue: { max_concurrent_runs: 5 }
retries: { max_attempts: 3, delay_seconds: 0.01, max_delay_seconds: 0.05 }
sharding: { parties_per_shard: 4, max_shards: 8 }
"#;

/// One process of a fleet; others share its store, queue and world.
pub(crate) struct TestFleet {
    pub(crate) api: Api,
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) queue: Arc<ForgetfulQueue>,
    pub(crate) outside: Arc<FakeOutside>,
    /// As other modules of the process see it.
    pub(crate) published: Changed,
    leader: JoinSet<()>,
    stop: CancellationToken,
    leases: Leases,
    folder: Arc<tempfile::TempDir>,
}

/// Of workers, and of the leader where others compete.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leases {
    pub(crate) worker: Duration,
    pub(crate) leader: Option<Duration>,
}

const ALONE: Leases = Leases {
    worker: Duration::from_secs(30),
    leader: None,
};

/// What the services of the pipeline above would offer.
fn table() -> ModuleTable {
    ModuleTable {
        lanes: ["a", "b", "c"].into(),
        sources: ["file"].into(),
        ..ModuleTable::default()
    }
}

pub(crate) async fn open_store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let log = store.migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS);
    log.await.unwrap();
    store.migrate("orchestrator", MIGRATIONS).await.unwrap();
    store
}

impl TestFleet {
    pub(crate) async fn start() -> Self {
        Self::on(Arc::new(open_store().await), PIPELINE).await
    }

    pub(crate) async fn on(store: Arc<dyn RunStore>, pipeline: &str) -> Self {
        Self::with_leases(store, pipeline, ALONE).await
    }

    pub(crate) async fn with_lease(
        store: Arc<dyn RunStore>,
        pipeline: &str,
        lease: Duration,
    ) -> Self {
        let leases = Leases {
            worker: lease,
            leader: None,
        };
        Self::with_leases(store, pipeline, leases).await
    }

    pub(crate) async fn with_leases(
        store: Arc<dyn RunStore>,
        pipeline: &str,
        leases: Leases,
    ) -> Self {
        Self::at(store, pipeline, leases, "").await
    }

    /// Reached at `address` by those that join.
    pub(crate) async fn at(
        store: Arc<dyn RunStore>,
        pipeline: &str,
        leases: Leases,
        address: &str,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("pipeline.yaml"), pipeline).unwrap();
        let (queue, outside) = (Arc::default(), Arc::default());
        Self::assemble(store, queue, outside, folder, leases, address).await
    }

    /// Another process of the same fleet, that looks at the store with its own eyes and is reached at `address`.
    pub(crate) async fn join(&self, store: Arc<dyn RunStore>, address: &str) -> Self {
        let (queue, outside) = (Arc::clone(&self.queue), Arc::clone(&self.outside));
        let folder = Arc::clone(&self.folder);
        Self::assemble(store, queue, outside, folder, self.leases, address).await
    }

    async fn assemble(
        store: Arc<dyn RunStore>,
        queue: Arc<ForgetfulQueue>,
        outside: Arc<FakeOutside>,
        folder: Arc<tempfile::TempDir>,
        leases: Leases,
        address: &str,
    ) -> Self {
        let path = folder.path().join("pipeline.yaml");
        let catalogue = Arc::new(Catalogue::open(Some(path), None, Arc::new(table())).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let published = Changed::default();
        let (lanes, world) = (Arc::clone(&queue), Arc::clone(&outside));
        let (engine, contender) = Contender::new(EngineParts {
            store: Arc::clone(&store),
            queue: lanes,
            outside: world,
            catalogue: Arc::clone(&catalogue),
            clock: Arc::clone(&clock),
            published: published.clone(),
            lease: leases.worker,
            leader_lease: leases.leader,
            address: address.to_owned(),
        });
        let stop = CancellationToken::new();
        let mut leader = JoinSet::new();
        let stopping = stop.clone();
        leader.spawn(async move {
            contender.run(stopping).await.unwrap();
        });
        // Tests begin when it is known who leads.
        assert_ne!(engine.seat().await, Seat::Vacant);
        let api = Api {
            store: Arc::clone(&store),
            catalogue,
            engine,
            clock,
            queue: Arc::clone(&queue) as Arc<dyn TaskQueue>,
            leader: Arc::default(),
            peer_options: kycc_rpc::ChannelOptions::default(),
        };
        Self {
            api,
            store,
            queue,
            outside,
            published,
            leader,
            stop,
            leases,
            folder,
        }
    }

    /// As if the process had been killed: the leader is dropped wherever it is.
    pub(crate) async fn kill(&mut self) {
        self.leader.shutdown().await;
    }

    /// As on SIGTERM.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.leader.join_next().await {
            ended.unwrap();
        }
    }

    /// Killed, with the queue that was in its memory.
    pub(crate) async fn restart(mut self) -> Self {
        self.kill().await;
        self.queue.forget();
        self.join(Arc::clone(&self.store), "").await
    }

    /// Waits until this process leads.
    pub(crate) async fn leads(&self) {
        let wait = async {
            while self.api.engine.seat().await != Seat::Here {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    pub(crate) fn rewrite_pipeline(&self, text: &str) {
        std::fs::write(self.folder.path().join("pipeline.yaml"), text).unwrap();
        assert!(self.api.catalogue.reload().unwrap());
    }

    pub(crate) fn work(
        &self,
        act: impl Fn(&kycc_proto::work::v1::Task) -> Act + Send + Sync + 'static,
    ) -> Workers {
        let queue: Arc<dyn TaskQueue> = Arc::clone(&self.queue) as _;
        Workers::start(&queue, act)
    }

    pub(crate) async fn launch(&self, job: &str, batch: &str) -> String {
        let request = api::LaunchRunRequest {
            job: job.to_owned(),
            batch_id: batch.to_owned(),
            ..api::LaunchRunRequest::default()
        };
        let run = self.api.launch_as(request).await.unwrap();
        run.state.run_id.into_string()
    }

    /// Watches the run to its end, whoever leads.
    pub(crate) async fn ended(&self, run_id: &str) -> StoredRun {
        self.until(run_id, |run| run.state.status.is_terminal())
            .await
    }

    pub(crate) async fn run(&self, run_id: &str) -> StoredRun {
        let run_id = run_id.parse().unwrap();
        self.store.run(&run_id).await.unwrap().unwrap()
    }

    pub(crate) async fn events(&self, run_id: &str) -> Vec<StoredEvent> {
        let run_id = run_id.parse().unwrap();
        self.store.events(&run_id, 0, 10_000).await.unwrap()
    }

    pub(crate) async fn kinds(&self, run_id: &str) -> Vec<EventKind> {
        self.events(run_id)
            .await
            .iter()
            .map(|event| event.kind)
            .collect()
    }

    /// Waits until the run is as wanted: looks whenever this process hears of a change, and now and then.
    pub(crate) async fn until(
        &self,
        run_id: &str,
        wanted: impl Fn(&StoredRun) -> bool,
    ) -> StoredRun {
        let id = run_id.parse().unwrap();
        let look = async {
            loop {
                let mut notices = self.api.engine.hub().subscribe(&id);
                let run = self.run(run_id).await;
                if wanted(&run) {
                    return run;
                }
                let _ = tokio::time::timeout(Duration::from_millis(100), notices.recv()).await;
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(run) => run,
            Err(_) => panic!("the run never was as wanted: {:#?}", self.run(run_id).await),
        }
    }
}

pub(crate) fn is(status: RunStatus) -> impl Fn(&StoredRun) -> bool {
    move |run| run.state.status == status
}

impl Api {
    pub(crate) async fn launch_as(
        &self,
        request: api::LaunchRunRequest,
    ) -> Result<StoredRun, ApiError> {
        Box::pin(self.launch(request, "ann".to_owned())).await
    }
}
