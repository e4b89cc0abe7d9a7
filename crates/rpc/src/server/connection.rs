//! One connection, over TCP, TLS or inside the process. It can be cut, and one that does not speak HTTP/2 in time ends.
//!
//! hyper waits for a connection's first bytes before it listens to a shutdown or counts keepalives, so the only way to end a
//! silent one is to fail its next read.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::inside::Door;

/// What every HTTP/2 client says first.
const PREFACE_BYTES: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// Where a connection's calls come from. Every request carries it in its extensions.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    Network {
        remote: Option<SocketAddr>,
        /// Of the client's certificate, verified; none without one.
        names: Arc<[String]>,
    },
    /// From this very process: nobody else can come that way.
    Inside(Door),
}

#[derive(Debug)]
pub(super) enum Io {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Inside(DuplexStream),
}

#[derive(Debug)]
pub(super) struct Connection {
    io: Io,
    origin: Origin,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until the preface has come.
    preface: Option<Preface>,
    /// One of so many; given back when the connection ends.
    _place: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
struct Preface {
    missing: usize,
    time_is_up: Pin<Box<Sleep>>,
}

impl Connection {
    /// `patience`: for the preface.
    pub(super) fn new(
        io: Io,
        origin: Origin,
        kill: CancellationToken,
        patience: Duration,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            io,
            origin,
            killed: Box::pin(kill.cancelled_owned()),
            preface: Some(Preface {
                missing: PREFACE_BYTES,
                time_is_up: Box::pin(tokio::time::sleep(patience)),
            }),
            _place: place,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Origin;

    fn connect_info(&self) -> Origin {
        self.origin.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.killed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let read = this.io.poll_read(cx, buffer);
        if let Some(preface) = &mut this.preface {
            preface.missing = preface
                .missing
                .saturating_sub(buffer.filled().len() - before);
            if preface.missing == 0 {
                this.preface = None;
            } else if preface.time_is_up.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl Io {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buffer),
            Self::Inside(io) => Pin::new(io).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Tcp(io) => Pin::new(io).poll_write(cx, bytes),
            Io::Tls(io) => Pin::new(io).poll_write(cx, bytes),
            Io::Inside(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Tcp(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Io::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Io::Inside(io) => Pin::new(io).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Tcp(io) => io.is_write_vectored(),
            Io::Tls(io) => io.is_write_vectored(),
            Io::Inside(io) => io.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Tcp(io) => Pin::new(io).poll_flush(cx),
            Io::Tls(io) => Pin::new(io).poll_flush(cx),
            Io::Inside(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Tcp(io) => Pin::new(io).poll_shutdown(cx),
            Io::Tls(io) => Pin::new(io).poll_shutdown(cx),
            Io::Inside(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
