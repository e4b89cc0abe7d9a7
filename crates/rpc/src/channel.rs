//! Channels to servers of the fleet.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

/// How a client holds on to its server.
#[derive(Debug, Clone, Copy)]
pub struct ChannelOptions {
    pub connect_timeout: Duration,
    /// Longest wait for the beginning of an answer; a call may set a shorter deadline of its own.
    pub answer_timeout: Duration,
    pub keepalive_interval: Duration,
    pub keepalive_timeout: Duration,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(300),
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{address:?} is no address of a kycc server; expected host:port or http://host:port")]
pub struct AddressError {
    address: String,
    #[source]
    source: tonic::transport::Error,
}

/// A channel that connects when it is first used, and again whenever it has to. Call it inside a tokio runtime.
pub fn connect_lazy(address: &str, options: &ChannelOptions) -> Result<Channel, AddressError> {
    let url = if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    };
    let endpoint = Endpoint::from_shared(url).map_err(|source| AddressError {
        address: address.to_owned(),
        source,
    })?;
    Ok(endpoint
        .connect_timeout(options.connect_timeout)
        .timeout(options.answer_timeout)
        .http2_keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout)
        .tcp_nodelay(true)
        .connect_lazy())
}
