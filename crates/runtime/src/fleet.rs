//! A process of the fleet, from config to SERVING and back.
//!
//! Start: lock, bind, open, migrate or verify tables, build, answer as NOT_SERVING, begin to work, SERVING. Stop, in reverse: NOT_SERVING, workers
//! finish or hand back, background work ends, calls drain, the state store closes.

mod compute;
mod elsewhere;
mod open;
mod readiness;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::source_service_server::SourceServiceServer;
use kycc_rpc::{Door, PageKey, RunningServer, ServerOptions, Services, UnixTime};
use kycc_store::{Store, with_driver};
use tonic::transport::Channel;

use crate::module::{AddGrpc, Background};
use crate::page_key::PageKeyStore;
use crate::source_service::Sources;
use crate::{
    BoxError, BuildError, Clock, ConfigError, FleetConfig, FleetInfo, FolderLock, LockError,
    Module, ModuleContext, ModuleTable, OnFailure, SecurityConfig, SourceObserver, Spawner,
    SystemClock, TaskHandler, Worker, WorkerOptions,
};
use compute::ComputeThreads;
use elsewhere::Elsewhere;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Server(#[from] kycc_rpc::ServerError),
    #[error(transparent)]
    Channel(#[from] kycc_rpc::AddressError),
    #[error(transparent)]
    Store(#[from] kycc_store::StoreError),
    #[error(transparent)]
    Lake(#[from] kycc_lake::LakeError),
    #[error("there is no service {service:?}; there are {known}")]
    UnknownService { service: String, known: String },
    #[error("queue_url={url:?} is not supported: expected memory:, redis://… or rediss://…")]
    Queue {
        url: String,
        #[source]
        source: kycc_queue::RedisUrlError,
    },
    #[error("the queue does not answer")]
    QueueSilent {
        #[source]
        source: kycc_queue::QueueError,
    },
    #[error("cannot start the compute threads")]
    Compute {
        #[source]
        source: std::io::Error,
    },
    #[error("cannot build {module}")]
    Module {
        module: &'static str,
        #[source]
        source: BuildError,
    },
}

/// Starts fleets.
#[derive(Debug)]
pub struct Fleet;

impl Fleet {
    /// Starts the services of `modules` in this process, and returns once they answer. Pipelines are checked against what
    /// these modules offer together.
    pub async fn start(
        config: FleetConfig,
        modules: Vec<Box<dyn Module>>,
    ) -> Result<RunningFleet, StartError> {
        Box::pin(Self::start_with_clock(
            config,
            modules,
            Arc::new(SystemClock),
        ))
        .await
    }

    /// As [`start`](Self::start), with another source of time and ids.
    pub async fn start_with_clock(
        config: FleetConfig,
        modules: Vec<Box<dyn Module>>,
        clock: Arc<dyn Clock>,
    ) -> Result<RunningFleet, StartError> {
        config.validate()?;
        let table = ModuleTable::of(&modules);
        let modules = elsewhere::chosen(modules, &config.services)?;
        let here = modules.iter().map(|module| module.name()).collect();
        let elsewhere = Elsewhere::new(&config, &table, &here)?;
        // Of a store that several processes share, no folder can be the owner.
        let lock = match config.is_shared_store() {
            true => None,
            false => Some(FolderLock::acquire(&config.data_dir)?),
        };
        let bound = kycc_rpc::bind(config.grpc_addr).await?;
        let addr = bound.addr();
        let compute = ComputeThreads::start(config.threads)?;
        let background = Spawner::new();
        let context = open::shared_parts(config, table, &bound, clock, background.clone()).await?;
        crate::migrate::prepare(&context.config, &context.store, &modules).await?;
        adopt_page_key(&context).await?;
        let parts = build(&context, modules).await?;

        let mut services = Services::default();
        for (_, add) in parts.grpc {
            add(&mut services);
        }
        let sources = Sources::new(parts.observers, elsewhere.observers);
        services.add(SourceServiceServer::new(sources));
        let options = ServerOptions {
            peers: elsewhere.grpc,
            ..server_options(&context)
        };
        let channel = bound.channel(Door::Owner);
        let server = bound.serve(services, options).await?;
        let workers = Spawner::new();
        for lane in parts.lanes {
            start_workers(&context, &compute, &workers, &lane);
        }
        for (name, start) in parts.background {
            background.spawn(name, OnFailure::StopFleet, start(background.stopping()));
        }
        if let Some(lock) = &lock {
            lock.announce(&FleetInfo {
                grpc_addr: addr,
                console_addr: context.config.console_addr,
                pid: std::process::id(),
                shared: context.config.shared,
            })?;
        }
        server.health().serving().await;
        let watching = readiness::watch(
            server.health().clone(),
            context.store.clone(),
            Arc::clone(&context.queue),
            background.stopping(),
        );
        background.spawn("readiness", OnFailure::Log, async move {
            watching.await;
            Ok::<(), BoxError>(())
        });
        tracing::info!(grpc_addr = %addr, data_dir = %context.config.data_dir.display(), "the fleet is serving");
        Ok(RunningFleet {
            config: Arc::clone(&context.config),
            channel,
            store: context.store,
            server,
            workers,
            background,
            compute,
            lock,
        })
    }
}

/// Who may call is a matter of the config, what time it is one of the clock.
fn server_options(context: &ModuleContext) -> ServerOptions {
    let security = SecurityConfig::clone(&context.config.security);
    let mut auth = security.auth;
    let clock = Arc::clone(&context.clock);
    auth.time = UnixTime::new(move || clock.now().timestamp());
    if !auth.is_configured() && !context.config.grpc_addr.ip().is_loopback() {
        tracing::warn!(
            "callers are not authenticated: everybody who reaches this process may do everything"
        );
    }
    ServerOptions {
        local_principal: context.config.local_principal.clone(),
        auth,
        tls: security.tls,
        limits: security.limits,
        ..ServerOptions::default()
    }
}

async fn adopt_page_key(context: &ModuleContext) -> Result<(), StartError> {
    let now = context.clock.now_micros();
    let key = with_driver!(&context.store, |store| store
        .page_key(PageKey::draw(), now)
        .await)?;
    key.adopt();
    Ok(())
}

/// What all modules together contribute.
#[derive(Default)]
struct Parts {
    grpc: Vec<(&'static str, AddGrpc)>,
    observers: Vec<Arc<dyn SourceObserver>>,
    background: Vec<Background>,
    lanes: Vec<Lane>,
}

struct Lane {
    name: &'static str,
    handlers: Vec<Arc<dyn TaskHandler>>,
}

async fn build(
    context: &ModuleContext,
    modules: Vec<Box<dyn Module>>,
) -> Result<Parts, StartError> {
    let mut parts = Parts::default();
    for module in modules {
        let name = module.name();
        let failed = |source| StartError::Module {
            module: name,
            source,
        };
        let service = module.build(context).await.map_err(failed)?;
        let observed: BTreeSet<_> = service.observers.iter().map(|o| o.source()).collect();
        let told: BTreeSet<_> = module.sources().iter().copied().collect();
        if observed != told {
            let message = format!("it observes {observed:?}, but its sources() tell {told:?}");
            return Err(failed(BuildError::new(message)));
        }
        let built: BTreeSet<_> = service.grpc.iter().map(|(name, _)| *name).collect();
        let told: BTreeSet<_> = module.grpc().iter().copied().collect();
        if built != told {
            let message = format!("it serves {built:?}, but its grpc() tells {told:?}");
            return Err(failed(BuildError::new(message)));
        }
        parts.grpc.extend(service.grpc);
        parts.observers.extend(service.observers);
        parts.background.extend(service.background);
        match module.lane() {
            Some(lane) if !service.handlers.is_empty() => parts.lanes.push(Lane {
                name: lane,
                handlers: service.handlers,
            }),
            None if !service.handlers.is_empty() => {
                return Err(failed(BuildError::new("it has task handlers but no lane")));
            }
            _ => {}
        }
    }
    Ok(parts)
}

fn start_workers(
    context: &ModuleContext,
    compute: &ComputeThreads,
    workers: &Spawner,
    lane: &Lane,
) {
    let config = &context.config;
    for _ in 0..config.tasks_per_lane {
        let options = WorkerOptions {
            lane: lane.name.to_owned(),
            consumer: format!("{}-{}", lane.name, context.clock.new_id()),
            lease: config.lease(),
            patience: config.drain(),
            threads: config.threads,
            memory_bytes: config.memory_bytes,
        };
        let worker = Worker::new(
            options,
            Arc::clone(&context.queue),
            context.lake.clone(),
            lane.handlers.iter().cloned(),
            compute.handle(),
            Arc::clone(&context.clock),
        );
        let stopping = workers.stopping();
        workers.spawn("worker", OnFailure::StopFleet, async move {
            worker.run(stopping).await;
            Ok::<(), BoxError>(())
        });
    }
}

/// A fleet that answers. Dropping it without [`shutdown`](Self::shutdown) is like killing the process: nothing is lost,
/// and unfinished work begins again at the next start.
#[derive(Debug)]
pub struct RunningFleet {
    config: Arc<FleetConfig>,
    channel: Channel,
    store: Store,
    server: RunningServer,
    workers: Spawner,
    background: Spawner,
    compute: ComputeThreads,
    lock: Option<FolderLock>,
}

/// Beyond the patience that handlers were given, for what comes after them.
const MARGIN: Duration = Duration::from_secs(2);

impl RunningFleet {
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.server.addr()
    }

    #[must_use]
    pub fn config(&self) -> &FleetConfig {
        &self.config
    }

    /// To the front door, as whoever owns the process: it may do everything, whatever callers have to prove.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Resolves with the reason when something failed that the fleet cannot do without.
    pub async fn failed(&self) -> String {
        tokio::select! {
            reason = self.workers.failed() => reason,
            reason = self.background.failed() => reason,
        }
    }

    /// Stops in order; takes at most the drain delay and three times the drain time.
    pub async fn shutdown(self) {
        let patience = self.config.drain();
        self.server.health().not_serving().await;
        // Balancers go on sending until they have heard of it.
        tokio::time::sleep(self.config.drain_delay()).await;
        if !self.workers.stop(patience + MARGIN).await {
            tracing::warn!(
                "tasks were still at work at the end of the drain; they begin again at the next start"
            );
        }
        if !self.background.stop(patience).await {
            tracing::warn!("background work did not end within the drain");
        }
        self.server.stop(patience).await;
        self.compute.stop();
        self.store.close().await;
        // Last: until here nobody else may open what is closing.
        drop(self.lock);
        tracing::info!("the fleet has stopped");
    }
}
