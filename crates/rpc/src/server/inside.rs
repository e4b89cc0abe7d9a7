//! Calls that a process makes to itself. They come through memory instead of a socket, so that the server knows them from
//! everybody else's without a secret, and whatever its certificate says.

use std::io;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint};

use crate::{ChannelOptions, channel};

/// Bytes on their way, each direction.
const BUFFER_BYTES: usize = 256 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: usize = 16;

/// Who uses a channel of the process to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Services of the fleet, which act as the fleet itself.
    Services,
    /// The program that started the fleet. What it may do is what the process may do: everything.
    Owner,
}

pub(super) type Knock = (DuplexStream, Door);

#[derive(Debug)]
pub(super) struct Inside {
    sender: mpsc::Sender<Knock>,
    pub(super) receiver: mpsc::Receiver<Knock>,
}

impl Inside {
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        Self { sender, receiver }
    }

    pub(super) fn channel(&self, door: Door) -> Channel {
        let sender = self.sender.clone();
        let connector = tower::service_fn(move |_: http::Uri| {
            let sender = sender.clone();
            async move {
                let (ours, theirs) = tokio::io::duplex(BUFFER_BYTES);
                let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
                sender.send((theirs, door)).await.map_err(gone)?;
                Ok::<_, io::Error>(TokioIo::new(ours))
            }
        });
        let endpoint = Endpoint::from_static("http://inside");
        channel::with(endpoint, &ChannelOptions::default()).connect_with_connector_lazy(connector)
    }
}
