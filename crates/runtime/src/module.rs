//! What a service hands to the runtime, and what it is given to build itself.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use kycc_lake::Lake;
use kycc_queue::TaskQueue;
use kycc_rpc::{ChannelOptions, Services};
use kycc_store::{Migration, Store};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::transport::Channel;

use crate::{
    BoxError, Changes, Clock, FleetConfig, ModuleTable, SourceObserver, Spawner, TaskHandler,
};

/// One service of the fleet. Its constructor is the only public item of its crate.
#[async_trait]
pub trait Module: Send + Sync {
    /// As `kycc serve` and the log name it, e.g. `features-kyc`.
    fn name(&self) -> &'static str;

    /// The lane that its handlers take tasks from; `None` for a service without any.
    fn lane(&self) -> Option<&'static str>;

    /// Names of the sources that its observers look at. Told before anything is built, and by modules that this process
    /// does not serve too, so that a pipeline can be checked against them.
    fn sources(&self) -> &'static [&'static str] {
        &[]
    }

    /// Full names of its gRPC services. Told before anything is built, and by modules that this process does not serve
    /// too, so that calls can be passed on to the process that has them.
    fn grpc(&self) -> &'static [&'static str] {
        &[]
    }

    /// What makes its tables in the state store; applied or verified, under its name, before it is built.
    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    /// Builds its parts. Nothing is served yet; other services may not answer.
    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError>;
}

/// The parts of the fleet that services share.
#[derive(Debug, Clone)]
pub struct ModuleContext {
    pub config: Arc<FleetConfig>,
    pub table: Arc<ModuleTable>,
    pub store: Store,
    pub lake: Lake,
    pub queue: Arc<dyn TaskQueue>,
    /// Where other processes reach this one: host:port.
    pub address: String,
    /// To the front door of this process, as the fleet itself; connects when it is first used.
    pub channel: Channel,
    /// How other processes of the fleet are reached.
    pub peer_options: ChannelOptions,
    pub clock: Arc<dyn Clock>,
    pub spawner: Spawner,
    /// What modules of this process tell each other at once.
    pub changes: Changes,
}

pub(crate) type AddGrpc = Box<dyn FnOnce(&mut Services) + Send>;
pub(crate) type Background = (
    &'static str,
    Box<
        dyn FnOnce(CancellationToken) -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>
            + Send,
    >,
);

/// A service, built.
#[derive(Default)]
pub struct Service {
    pub(crate) grpc: Vec<(&'static str, AddGrpc)>,
    pub(crate) handlers: Vec<Arc<dyn TaskHandler>>,
    pub(crate) observers: Vec<Arc<dyn SourceObserver>>,
    pub(crate) background: Vec<Background>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("grpc", &self.grpc.len())
            .field("handlers", &self.handlers.len())
            .field("observers", &self.observers.len())
            .field("background", &self.background.len())
            .finish()
    }
}

impl Service {
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::default()
    }
}

#[derive(Debug, Default)]
#[must_use]
pub struct ServiceBuilder {
    service: Service,
}

impl ServiceBuilder {
    /// A generated server, e.g. `ScoringServiceServer::new(…)`.
    pub fn grpc<S>(mut self, server: S) -> Self
    where
        S: tower::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<tonic::body::Body>,
                Error = Infallible,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.service
            .grpc
            .push((S::NAME, Box::new(move |services| services.add(server))));
        self
    }

    pub fn handler(mut self, handler: Arc<dyn TaskHandler>) -> Self {
        self.service.handlers.push(handler);
        self
    }

    pub fn observer(mut self, observer: Arc<dyn SourceObserver>) -> Self {
        self.service.observers.push(observer);
        self
    }

    /// Work that runs as long as the fleet does: started once everything is built and the port answers, told by the
    /// token to end. If it fails, the fleet stops.
    pub fn background<F, W, E>(mut self, name: &'static str, start: F) -> Self
    where
        F: FnOnce(CancellationToken) -> W + Send + 'static,
        W: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let start = move |stop: CancellationToken| {
            let work = start(stop);
            let work: Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> =
                Box::pin(async move { work.await.map_err(Into::into) });
            work
        };
        self.service.background.push((name, Box::new(start)));
        self
    }

    #[must_use]
    pub fn build(self) -> Service {
        self.service
    }
}

/// Why a service could not be built: what it was doing, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BuildError {
    message: String,
    source: Option<BoxError>,
}

impl BuildError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<kycc_store::StoreError> for BuildError {
    fn from(error: kycc_store::StoreError) -> Self {
        Self::new("cannot use the state store").with_source(error)
    }
}

impl From<kycc_lake::LakeError> for BuildError {
    fn from(error: kycc_lake::LakeError) -> Self {
        Self::new("cannot read the lake").with_source(error)
    }
}
