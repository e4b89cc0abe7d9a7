//! What the orchestrator costs: runs of no-op steps over the queue and the state store that the environment names
//! (BENCH_STORE_URL, BENCH_QUEUE_URL; without them SQLite and the in-process queue). Prints one JSON object.
//!
//! Orchestrator and workers are two fleets, as two processes would be: they meet at the queue and the store alone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{LaunchRunRequest, RunStatus, WatchRunRequest};
use kycc_runtime::{
    BuildError, ConnectionUrl, Fleet, FleetConfig, Module, ModuleContext, Output, RunningFleet,
    Service, TaskContext, TaskError, TaskHandler,
};
use serde_json::json;
use tonic::transport::Channel;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Orchestrator = OrchestratorServiceClient<Channel>;

const STEPS: [&str; 9] = [
    "noop_1", "noop_2", "noop_3", "noop_4", "noop_5", "noop_6", "noop_7", "noop_8", "noop_9",
];
const LANE: &str = "noop";
const WORKERS: usize = 8;

/// When tasks were committed, and when their handlers were entered.
static COMMITTED: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);
static PICK_UPS: LazyLock<Mutex<Vec<Duration>>> = LazyLock::new(Mutex::default);

/// Hears the orchestrator say that a dispatch is committed.
struct Ear;

impl<S: tracing::Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct TaskId(Option<String>);
        impl Visit for TaskId {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "task_id" {
                    self.0 = Some(format!("{value:?}"));
                }
            }
        }
        let mut task = TaskId(None);
        event.record(&mut task);
        if let Some(task) = task.0 {
            lock(&COMMITTED).insert(task, Instant::now());
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Noop(&'static str);

#[async_trait]
impl TaskHandler for Noop {
    fn asset(&self) -> &'static str {
        self.0
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        if let Some(committed) = lock(&COMMITTED).remove(cx.task_id()) {
            lock(&PICK_UPS).push(committed.elapsed());
        }
        Ok(Output::default())
    }
}

struct Workers;

#[async_trait]
impl Module for Workers {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn lane(&self) -> Option<&'static str> {
        Some(LANE)
    }

    async fn build(&self, _: &ModuleContext) -> Result<Service, BuildError> {
        let service = STEPS.iter().fold(Service::builder(), |service, step| {
            service.handler(Arc::new(Noop(step)))
        });
        Ok(service.build())
    }
}

fn pipeline(folder: &Path) -> Result<std::path::PathBuf, Error> {
    let mut text = String::from("location_name: noop\nassets:\n");
    for (number, step) in STEPS.iter().enumerate() {
        let deps = number.checked_sub(1).map_or("", |before| STEPS[before]);
        text += &format!(
            "  - {{ key: {step}, lane: {LANE}, code_version: '1', deps: [{deps}], outputs: [] }}\n"
        );
    }
    text += &format!(
        "jobs:\n  - {{ name: nine, assets: [{}] }}\n",
        STEPS.join(", ")
    );
    text += &format!("  - {{ name: one, assets: [{}] }}\n", STEPS[0]);
    text += "run_queue: { max_concurrent_runs: 200 }\n";
    let path = folder.join("pipeline.yaml");
    std::fs::write(&path, text)?;
    Ok(path)
}

async fn start(folder: &Path) -> Result<Vec<RunningFleet>, Error> {
    let url = |key| std::env::var(key).ok().map(ConnectionUrl::new);
    let default = FleetConfig::embedded(folder.join("data"));
    let config = FleetConfig {
        store_url: url("BENCH_STORE_URL").unwrap_or(default.store_url.clone()),
        queue_url: url("BENCH_QUEUE_URL").unwrap_or(default.queue_url.clone()),
        pipeline: Some(pipeline(folder)?),
        tasks_per_lane: WORKERS,
        ..default
    };
    let modules =
        || -> Vec<Box<dyn Module>> { vec![Box::new(Workers), kycc_orchestrator::module()] };
    if !config.is_shared_store() {
        return Ok(vec![Fleet::start(config, modules()).await?]);
    }
    let part = |service: &str| FleetConfig {
        services: vec![service.to_owned()],
        data_dir: folder.join(service),
        ..config.clone()
    };
    let orchestrator = Fleet::start(part("orchestrator"), modules()).await?;
    let workers = Fleet::start(part("noop"), modules()).await?;
    Ok(vec![orchestrator, workers])
}

/// Launches a run and waits for its end.
async fn run(mut orchestrator: Orchestrator, job: &str, batch: String) -> Result<Duration, Error> {
    let began = Instant::now();
    let launched = orchestrator
        .launch_run(LaunchRunRequest {
            job: job.to_owned(),
            batch_id: batch,
            ..LaunchRunRequest::default()
        })
        .await?;
    let run_id = launched.into_inner().run.unwrap_or_default().run_id;
    let watch = WatchRunRequest {
        run_id,
        after_sequence: 0,
    };
    let mut events = orchestrator.watch_run(watch).await?.into_inner();
    while let Some(said) = events.message().await? {
        if let Some(run) = said.run {
            if run.status() != RunStatus::Success {
                return Err(
                    format!("a run ended with {:?}: {:?}", run.status(), run.failure).into(),
                );
            }
            return Ok(began.elapsed());
        }
    }
    Err("the orchestrator stopped talking before the run ended".into())
}

fn quantile(mut sorted: Vec<Duration>, q: f64) -> f64 {
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index of a short list"
    )]
    let index = (last as f64 * q).round() as usize;
    sorted.get(index).map_or(f64::NAN, Duration::as_secs_f64) * 1e3
}

async fn measure(orchestrator: &Orchestrator) -> Result<serde_json::Value, Error> {
    let count = |key: &str, default: usize| {
        let set = std::env::var(key).ok().and_then(|text| text.parse().ok());
        set.unwrap_or(default)
    };
    for number in 0..20 {
        run(orchestrator.clone(), "nine", format!("WARM_{number}")).await?;
    }
    lock(&PICK_UPS).clear();
    for number in 0..count("BENCH_PICK_UPS", 200) {
        run(orchestrator.clone(), "one", format!("ONE_{number}")).await?;
        // Idle again before the next.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pick_ups = std::mem::take(&mut *lock(&PICK_UPS));
    let mut nines = Vec::new();
    for number in 0..count("BENCH_NINES", 50) {
        nines.push(run(orchestrator.clone(), "nine", format!("NINE_{number}")).await?);
    }
    let runs = count("BENCH_RUNS_AT_ONCE", 600);
    let began = Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..runs {
        crowd.spawn(run(orchestrator.clone(), "nine", format!("MANY_{number}")));
    }
    while let Some(ended) = crowd.join_next().await {
        ended??;
    }
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of steps")]
    let steps = (runs * STEPS.len()) as f64;
    Ok(json!({
        "pick_ups": pick_ups.len(),
        "pick_up_p50_ms": quantile(pick_ups.clone(), 0.5),
        "pick_up_p99_ms": quantile(pick_ups, 0.99),
        "nine_steps_p50_ms": quantile(nines.clone(), 0.5),
        "nine_steps_p99_ms": quantile(nines, 0.99),
        "steps_per_second": steps / seconds,
        "runs_at_once": 200,
    }))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let ear = Ear.with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
        metadata.target() == "kycc::dispatch"
    }));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ear))?;
    let folder = tempfile::tempdir()?;
    let fleets = start(folder.path()).await?;
    let orchestrator = OrchestratorServiceClient::new(fleets[0].channel());
    let measured = measure(&orchestrator).await;
    for fleet in fleets.into_iter().rev() {
        fleet.shutdown().await;
    }
    println!("{}", measured?);
    Ok(())
}
