//! A small fleet for tests: a real store and queue, workers and a world outside that do as they are told.

mod outside;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kycc_proto::orchestrator::v1 as api;
use kycc_queue::{InProcessQueue, TaskQueue};
use kycc_rpc::ApiError;
use kycc_runtime::{Clock, ModuleTable, Spawner, SystemClock};
use kycc_store::sqlite::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::core::{EventKind, RunStatus};
use crate::definitions::Catalogue;
use crate::engine::{Engine, EngineParts};
use crate::handlers::Api;
use crate::store::{MIGRATIONS, RunStore, StoredEvent, StoredRun};
pub(crate) use outside::FakeOutside;
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

pub(crate) struct TestFleet {
    pub(crate) api: Api,
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) queue: Arc<dyn TaskQueue>,
    pub(crate) outside: Arc<FakeOutside>,
    engine: JoinSet<()>,
    _folder: Arc<tempfile::TempDir>,
    folder_path: std::path::PathBuf,
}

/// What the services of the pipeline above would offer.
fn table() -> ModuleTable {
    ModuleTable {
        lanes: ["a", "b", "c"].into(),
        sources: ["file"].into(),
    }
}

pub(crate) async fn open_store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.migrate("orchestrator", MIGRATIONS).await.unwrap();
    store
}

impl TestFleet {
    pub(crate) async fn start() -> Self {
        Self::on(Arc::new(open_store().await), PIPELINE).await
    }

    pub(crate) async fn on(store: Arc<dyn RunStore>, pipeline: &str) -> Self {
        Self::with_lease(store, pipeline, Duration::from_secs(30)).await
    }

    pub(crate) async fn with_lease(
        store: Arc<dyn RunStore>,
        pipeline: &str,
        lease: Duration,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = folder.path().join("pipeline.yaml");
        std::fs::write(&path, pipeline).unwrap();
        let outside = Arc::new(FakeOutside::default());
        Self::assemble(store, outside, folder, path, lease)
    }

    fn assemble(
        store: Arc<dyn RunStore>,
        outside: Arc<FakeOutside>,
        folder: Arc<tempfile::TempDir>,
        path: std::path::PathBuf,
        lease: Duration,
    ) -> Self {
        let queue: Arc<dyn TaskQueue> = Arc::new(InProcessQueue::default());
        let catalogue =
            Arc::new(Catalogue::open(Some(path.clone()), None, Arc::new(table())).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let world: Arc<FakeOutside> = Arc::clone(&outside);
        let (handle, engine) = Engine::new(EngineParts {
            store: Arc::clone(&store),
            queue: Arc::clone(&queue),
            outside: world,
            catalogue: Arc::clone(&catalogue),
            clock: Arc::clone(&clock),
            lease,
        });
        let mut leader = JoinSet::new();
        leader.spawn(async move {
            engine.run(CancellationToken::new()).await.unwrap();
        });
        let api = Api {
            store: Arc::clone(&store),
            catalogue,
            engine: handle,
            clock,
            spawner: Spawner::new(),
        };
        Self {
            api,
            store,
            queue,
            outside,
            engine: leader,
            _folder: folder,
            folder_path: path,
        }
    }

    /// As if the process had been killed: the leader is dropped wherever it is, and the queue forgets everything.
    pub(crate) async fn restart(mut self) -> Self {
        self.engine.shutdown().await;
        Self::assemble(
            self.store,
            self.outside,
            self._folder,
            self.folder_path,
            Duration::from_secs(30),
        )
    }

    pub(crate) fn rewrite_pipeline(&self, text: &str) {
        std::fs::write(&self.folder_path, text).unwrap();
        assert!(self.api.catalogue.reload().unwrap());
    }

    pub(crate) fn work(
        &self,
        act: impl Fn(&kycc_proto::work::v1::Task) -> Act + Send + Sync + 'static,
    ) -> Workers {
        Workers::start(&self.queue, act)
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

    /// Watches the run to its end.
    pub(crate) async fn ended(&self, run_id: &str) -> StoredRun {
        let watch = async {
            let mut answers = std::pin::pin!(self.api.watch(run_id, 0).await.unwrap());
            while let Some(answer) = answers.next().await {
                if answer.unwrap().run.is_some() {
                    return;
                }
            }
            panic!("the watch ended without the run");
        };
        if tokio::time::timeout(PATIENCE, watch).await.is_err() {
            panic!("the run did not end: {:#?}", self.run(run_id).await);
        }
        self.run(run_id).await
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

    /// Waits until the run is as wanted, looking again whenever it changes.
    pub(crate) async fn until(
        &self,
        run_id: &str,
        wanted: impl Fn(&StoredRun) -> bool,
    ) -> StoredRun {
        let id = run_id.parse().unwrap();
        let mut notices = self.api.engine.hub().subscribe(&id);
        let look = async {
            loop {
                let run = self.run(run_id).await;
                if wanted(&run) {
                    return run;
                }
                let _ = notices.recv().await;
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
