//! A worker around a handler whose config says what it does.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kycc_lake::datasets::BATCH;
use kycc_lake::{Lake, Metadata};
use kycc_proto::work::v1::metadata_entry::Value as Wire;
use kycc_proto::work::v1::task_result::Outcome;
use kycc_proto::work::v1::{Task, TaskFailed, TaskResult, TaskSucceeded};
use kycc_queue::{InProcessQueue, TaskQueue};
use kycc_runtime::{
    Output, SystemClock, TaskContext, TaskError, TaskHandler, Worker, WorkerOptions,
};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) const LANE: &str = "scoring";
pub(super) const ASSET: &str = "score_batch";
pub(super) const SOON: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(super) struct Acting {
    runs: AtomicUsize,
    entered: Notify,
    stopped: Notify,
}

#[derive(serde::Deserialize)]
struct Config {
    act: String,
}

#[async_trait]
impl TaskHandler for Acting {
    fn asset(&self) -> &'static str {
        ASSET
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.entered.notify_one();
        match cx.config::<Config>()?.act.as_str() {
            "publish" => publish(cx).await,
            "talk" => {
                cx.info("first");
                cx.warning("second");
                cx.progress(1, 10);
                cx.progress(5, 10);
                Ok(Output::default())
            }
            "fail" => Err(TaskError::fatal("BAD_INPUT", "line 3 is broken")
                .with_record("x.json:3")
                .with_source(std::io::Error::other("the disk said no"))),
            "fail for now" => Err(TaskError::transient("BUSY", "later")),
            "panic" => panic!("index out of luck"),
            "spin until cancelled" => {
                // A kernel: never yields, looks at its token.
                let stopped = loop {
                    if let Err(error) = cx.check_cancelled() {
                        break error;
                    }
                    std::thread::yield_now();
                };
                self.stopped.notify_one();
                Err(stopped)
            }
            "never end" => std::future::pending().await,
            other => Err(TaskError::fatal("UNKNOWN_ACT", other.to_owned())),
        }
    }
}

async fn publish(cx: &TaskContext) -> Result<Output, TaskError> {
    let document = json!({"batch_id": cx.batch().as_str(), "as_of": 0});
    let metadata = |label: &str, n: i64| Metadata::from_iter([(label.to_owned(), n.into())]);
    let published = cx
        .put_document(&BATCH, &document, metadata("parties", 3))
        .await?;
    Ok(Output {
        published: vec![published],
        metadata: metadata("said", 7),
    })
}

pub(super) struct Fixture {
    pub(super) queue: Arc<dyn TaskQueue>,
    handler: Arc<Acting>,
    stop: CancellationToken,
    worker: std::sync::Mutex<Option<JoinHandle<()>>>,
    /// Taken when it is dropped, which must not wait.
    compute: Option<Runtime>,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(compute) = self.compute.take() {
            compute.shutdown_background();
        }
    }
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::on(Arc::new(InProcessQueue::default()))
    }

    pub(super) fn on(queue: Arc<dyn TaskQueue>) -> Self {
        let handler = Arc::new(Acting::default());
        let compute = Runtime::new().unwrap();
        let options = WorkerOptions {
            lane: LANE.to_owned(),
            consumer: "w1".to_owned(),
            lease: Duration::from_secs(2),
            patience: Duration::from_millis(300),
            threads: 1,
            memory_bytes: 64 << 20,
        };
        let worker = Worker::new(
            options,
            Arc::clone(&queue),
            Lake::open("memory:").unwrap(),
            [Arc::clone(&handler) as Arc<dyn TaskHandler>],
            compute.handle().clone(),
            Arc::new(SystemClock),
        );
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "the fixture owns the worker")]
        let worker = tokio::spawn(worker.run(stop.clone()));
        Self {
            queue,
            handler,
            stop,
            worker: std::sync::Mutex::new(Some(worker)),
            compute: Some(compute),
        }
    }

    /// A task that makes dataset `batch` at the key of its own id.
    pub(super) fn task(&self, id: &str, act: &str) -> Task {
        Task {
            task_id: id.to_owned(),
            run_id: "run-1".to_owned(),
            asset: ASSET.to_owned(),
            attempt: 1,
            lane: LANE.to_owned(),
            batch_id: "BATCH_001".to_owned(),
            config_json: json!({"act": act}).to_string(),
            version_key: id.to_owned(),
            expected_datasets: vec!["batch".to_owned()],
            traceparent: kycc_telemetry::new_root(),
            ..Task::default()
        }
    }

    /// Pushes a task and waits for its result.
    pub(super) async fn run(&self, id: &str, act: &str) -> TaskResult {
        let task = self.task(id, act);
        self.queue.push(LANE, &task).await.unwrap();
        self.result().await
    }

    /// Pushes a task and waits until its handler is at work.
    pub(super) async fn start(&self, id: &str, act: &str) {
        let task = self.task(id, act);
        self.queue.push(LANE, &task).await.unwrap();
        soon(self.handler.entered.notified()).await;
    }

    /// The next result, acknowledged.
    pub(super) async fn result(&self) -> TaskResult {
        let mut entries = self.queue.pull_results(1, SOON).await.unwrap();
        let entry = entries.pop().expect("a result arrives");
        self.queue.ack_results(&[entry.entry]).await.unwrap();
        entry.result
    }

    pub(super) async fn handler_stopped(&self) {
        soon(self.handler.stopped.notified()).await;
    }

    pub(super) fn times_run(&self) -> usize {
        self.handler.runs.load(Ordering::SeqCst)
    }

    pub(super) async fn stop(&self) {
        self.stop.cancel();
        let worker = self.worker.lock().unwrap().take().unwrap();
        soon(worker).await.unwrap();
    }

    /// Acknowledging comes after publishing, so it is waited for.
    pub(super) async fn nothing_is_pending(&self) -> bool {
        let wait = async {
            while !self
                .queue
                .expired(LANE, Duration::ZERO)
                .await
                .unwrap()
                .is_empty()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, wait).await.is_ok()
    }
}

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .expect("it happens within the deadline")
}

pub(super) fn success(result: &TaskResult) -> &TaskSucceeded {
    match &result.outcome {
        Some(Outcome::Succeeded(succeeded)) => succeeded,
        other => panic!("expected success, got {other:?}"),
    }
}

pub(super) fn failure(result: &TaskResult) -> &TaskFailed {
    match &result.outcome {
        Some(Outcome::Failed(failed)) => failed,
        other => panic!("expected failure, got {other:?}"),
    }
}

pub(super) fn value(succeeded: &TaskSucceeded, label: &str) -> Option<Wire> {
    let entry = succeeded
        .metadata
        .iter()
        .find(|entry| entry.label == label)?;
    entry.value.clone()
}
