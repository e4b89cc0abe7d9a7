//! Accepting: every connection is taken at once, and what it must prove first (TLS) it proves beside the others. So a
//! client that is slow or silent keeps nobody waiting; there are so many of those at most, and so many connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Io, Origin};
use super::inside::Inside;
use crate::tls::{ServerTlsFiles, names_of};

/// After an error of the listener, which is usually that the process has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub(super) struct AcceptOptions {
    pub(super) tls: Option<Arc<ServerTlsFiles>>,
    pub(super) max_connections: usize,
    pub(super) max_handshakes: usize,
    /// For TLS, and again for the first bytes of HTTP/2.
    pub(super) handshake_timeout: Duration,
}

struct Accepting {
    listener: TcpListener,
    /// Whole, so that it stays open without channels too.
    inside: Inside,
    options: AcceptOptions,
    places: Arc<Semaphore>,
    handshake_places: Arc<Semaphore>,
    handshakes: JoinSet<Option<Connection>>,
    kill: CancellationToken,
}

/// Every connection that is ready to speak HTTP/2; all of them fail once `kill` is cancelled.
pub(super) fn accept(
    listener: TcpListener,
    inside: Inside,
    options: AcceptOptions,
    kill: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> {
    let accepting = Accepting {
        listener,
        inside,
        places: Arc::new(Semaphore::new(options.max_connections)),
        handshake_places: Arc::new(Semaphore::new(options.max_handshakes)),
        handshakes: JoinSet::new(),
        options,
        kill,
    };
    futures::stream::unfold(accepting, |mut accepting| async move {
        let next = accepting.next().await;
        Some((Ok(next), accepting))
    })
}

impl Accepting {
    async fn next(&mut self) -> Connection {
        loop {
            let accepted = tokio::select! {
                Some((io, door)) = self.inside.receiver.recv() => {
                    return self.connection(Io::Inside(io), Origin::Inside(door), None);
                }
                Some(ended) = self.handshakes.join_next() => match ended {
                    Ok(Some(connection)) => return connection,
                    _ => continue,
                },
                accepted = self.listener.accept() => accepted,
            };
            let (tcp, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // One connection that failed while it was accepted must not end the server.
                    tracing::debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                tracing::warn!(%remote, most = self.options.max_connections, "a connection was closed: there are as many as are allowed");
                continue;
            };
            if tcp.set_nodelay(true).is_err() {
                continue;
            }
            match &self.options.tls {
                None => return self.connection(Io::Tcp(tcp), plain(remote), Some(place)),
                Some(tls) => {
                    let Ok(shaking) = Arc::clone(&self.handshake_places).try_acquire_owned() else {
                        tracing::warn!(%remote, most = self.options.max_handshakes, "a connection was closed: as many TLS handshakes as are allowed have begun");
                        continue;
                    };
                    let handshake = handshake(
                        tls.current(),
                        tcp,
                        remote,
                        self.options.clone(),
                        self.kill.clone(),
                        place,
                    );
                    self.handshakes.spawn(async move {
                        let _shaking = shaking;
                        handshake.await
                    });
                }
            }
        }
    }

    fn connection(
        &self,
        io: Io,
        origin: Origin,
        place: Option<OwnedSemaphorePermit>,
    ) -> Connection {
        let patience = self.options.handshake_timeout;
        Connection::new(io, origin, self.kill.clone(), patience, place)
    }
}

fn plain(remote: SocketAddr) -> Origin {
    Origin::Network {
        remote: Some(remote),
        names: Arc::default(),
    }
}

async fn handshake(
    config: Arc<rustls::ServerConfig>,
    tcp: TcpStream,
    remote: SocketAddr,
    options: AcceptOptions,
    kill: CancellationToken,
    place: OwnedSemaphorePermit,
) -> Option<Connection> {
    let shaken = TlsAcceptor::from(config).accept(tcp);
    let tls = match tokio::time::timeout(options.handshake_timeout, shaken).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(error)) => {
            tracing::debug!(%remote, %error, "a TLS handshake failed");
            return None;
        }
        Err(_) => {
            tracing::debug!(%remote, "a TLS handshake took too long");
            return None;
        }
    };
    let certificates = tls.get_ref().1.peer_certificates();
    let names = certificates
        .and_then(<[_]>::first)
        .map(names_of)
        .unwrap_or_default();
    let origin = Origin::Network {
        remote: Some(remote),
        names: names.into(),
    };
    let io = Io::Tls(Box::new(tls));
    let patience = options.handshake_timeout;
    Some(Connection::new(io, origin, kill, patience, Some(place)))
}
