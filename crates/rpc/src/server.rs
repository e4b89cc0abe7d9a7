//! The server: every service of a process on one port, under one stack of layers.

mod accept;
mod connection;
mod inside;
mod services;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Server};
use tower::ServiceBuilder;

use crate::auth::Authenticator;
use crate::layers::{
    Admission, Authenticate, Authorize, CatchPanic, Deadline, Elsewhere, LimitCallers,
    MessageMemory, Trace,
};
use crate::tls::ServerTlsFiles;
use crate::{AuthOptions, Health, Limits, Peers, Principal, SecurityError, ServerTls};
use accept::{AcceptOptions, accept};
pub(crate) use connection::Origin;
pub use inside::Door;
use inside::Inside;
pub use services::Services;

#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Calls at work at the same moment.
    pub max_in_flight: usize,
    /// Calls that wait for one of those places; more are turned away at once.
    pub max_waiting: usize,
    pub keepalive_interval: Duration,
    pub keepalive_timeout: Duration,
    /// Taken for every caller, as long as no authentication is configured.
    pub local_principal: Principal,
    /// How callers prove who they are.
    pub auth: AuthOptions,
    /// Clear text without it.
    pub tls: Option<ServerTls>,
    pub limits: Limits,
    /// Services that other processes have: calls to them are passed on.
    pub peers: Peers,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            max_in_flight: 1024,
            max_waiting: 1024,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            local_principal: Principal::anonymous(),
            auth: AuthOptions::default(),
            tls: None,
            limits: Limits::default(),
            peers: Peers::default(),
        }
    }
}

const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// Streams that a client opened and took back before they were looked at ("rapid reset"); more end its connection.
const MAX_RESET_STREAMS: usize = 64;
/// What a connection may send before it is read: a client that sends faster than handlers take waits.
const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(
        "cannot listen on {addr}; if another program uses the port, choose another with --grpc-addr"
    )]
    Bind {
        addr: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the server cannot be made safe")]
    Security {
        #[from]
        source: SecurityError,
    },
    #[error("cannot describe the services for reflection")]
    Reflection {
        #[source]
        source: tonic_reflection::server::Error,
    },
}

/// A port that is ours and does not answer yet: callers wait in its backlog.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    addr: SocketAddr,
    inside: Inside,
}

/// Takes the port. Port 0 takes a free one; [`Bound::addr`] says which.
pub async fn bind(addr: SocketAddr) -> Result<Bound, ServerError> {
    let failed = |source| ServerError::Bind { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Bound {
        listener,
        addr,
        inside: Inside::new(),
    })
}

impl Bound {
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// To this server from this process: past TLS and credentials, as whoever `door` says. It connects when it is first
    /// used, and waits for the server to begin.
    #[must_use]
    pub fn channel(&self, door: Door) -> Channel {
        self.inside.channel(door)
    }

    /// Begins to answer, NOT_SERVING as far as health checks are told.
    pub async fn serve(
        self,
        services: Services,
        options: ServerOptions,
    ) -> Result<RunningServer, ServerError> {
        let ServerOptions {
            max_in_flight,
            max_waiting,
            keepalive_interval,
            keepalive_timeout,
            local_principal,
            auth,
            tls,
            limits,
            peers,
        } = options;
        let tls = tls.map(ServerTlsFiles::open).transpose()?.map(Arc::new);
        let failures = limits.failed_authentications_per_minute;
        let authenticator = Arc::new(Authenticator::open(local_principal, auth, failures)?);
        authenticator.warm_up().await;
        let (routes, health) = services.into_routes(&peers).await?;
        let stack = ServiceBuilder::new()
            // Outermost, so that a panic in any layer or handler answers its own caller and nobody else's call ends.
            .layer(CatchPanic)
            // Before anything can refuse the call: refused calls must show in traces too.
            .layer(Trace)
            // Once more, where the call's trace is known: what a handler's panic answers then names it.
            .layer(CatchPanic)
            // Before anything that may wait: tonic has a timer of its own around all layers, which answers CANCELLED. This one
            // begins when that does and is a little shorter, so that it speaks first, also for calls that wait for a place.
            .layer(Deadline)
            // Shed, then limit: beyond what can wait, calls are turned away at once instead of timing out in a queue.
            .layer(Admission::new(max_in_flight, max_waiting))
            // Everything outside of it must work for callers that nobody knows yet.
            .layer(Authenticate::new(authenticator))
            // As soon as it is known whose share a call is of.
            .layer(LimitCallers::new(limits.per_caller))
            // What is not allowed costs nothing more than knowing who asked.
            .layer(Authorize)
            // Only messages that somebody will read take memory.
            .layer(MessageMemory::new(limits.max_message_bytes))
            // Innermost: a call that is passed on to another process was admitted, and its caller is known, here.
            .layer(Elsewhere::new(peers))
            .into_inner();
        let drain = CancellationToken::new();
        let kill = CancellationToken::new();
        let server = Server::builder()
            .http2_keepalive_interval(Some(keepalive_interval))
            .http2_keepalive_timeout(Some(keepalive_timeout))
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .http2_max_pending_accept_reset_streams(Some(MAX_RESET_STREAMS))
            .max_concurrent_streams(limits.max_streams_per_connection)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .initial_stream_window_size(STREAM_WINDOW_BYTES);
        let server = match limits.max_connection_age {
            None => server,
            Some(age) => server
                .max_connection_age(age)
                .max_connection_age_grace(limits.max_connection_age_grace),
        };
        let mut server = server.layer(stack);
        let server = server.add_routes(routes);
        let accepting = AcceptOptions {
            tls,
            max_connections: limits.max_connections,
            max_handshakes: limits.max_handshakes,
            handshake_timeout: limits.handshake_timeout,
        };
        let incoming = accept(self.listener, self.inside, accepting, kill.clone());
        let stopped = drain.clone().cancelled_owned();
        #[expect(
            clippy::disallowed_methods,
            reason = "the spawner stands above this crate; RunningServer owns the task and reports its end"
        )]
        let task = tokio::spawn(server.serve_with_incoming_shutdown(incoming, stopped));
        Ok(RunningServer {
            addr: self.addr,
            health,
            drain,
            kill,
            task,
        })
    }
}

#[derive(Debug)]
pub struct RunningServer {
    addr: SocketAddr,
    health: Health,
    drain: CancellationToken,
    kill: CancellationToken,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl RunningServer {
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// NOT_SERVING, no new connections, calls in flight finish. After `patience` the connections that are left are cut:
    /// one that never said a word (a TCP probe) would keep a graceful shutdown waiting for ever.
    pub async fn stop(mut self, patience: Duration) {
        self.health.not_serving().await;
        self.drain.cancel();
        if tokio::time::timeout(patience, &mut self.task).await.is_ok() {
            return;
        }
        tracing::warn!(
            patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
            "connections were still open at the end of the drain and are cut"
        );
        self.kill.cancel();
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(error = %kycc_telemetry::chain(&error), "the server did not end cleanly");
        }
    }
}
