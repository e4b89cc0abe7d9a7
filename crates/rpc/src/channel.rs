//! Channels to servers of the fleet.

use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::tls::ClientConnector;
use crate::{ClientTls, SecurityError};

/// How a client holds on to its server.
#[derive(Debug, Clone)]
pub struct ChannelOptions {
    pub connect_timeout: Duration,
    /// Longest wait for the beginning of an answer; a call may set a shorter deadline of its own.
    pub answer_timeout: Duration,
    pub keepalive_interval: Duration,
    pub keepalive_timeout: Duration,
    /// For addresses without a scheme: TLS where it is set, clear text where it is not. An address with `https://` always
    /// gets TLS, by default with the roots of the system.
    pub tls: Option<ClientTls>,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            answer_timeout: Duration::from_secs(300),
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            tls: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(
        "{address:?} is no address of a kycc server; expected host:port, http://host:port or https://host:port"
    )]
    Address {
        address: String,
        #[source]
        source: tonic::transport::Error,
    },
    #[error("cannot speak TLS with {address}")]
    Tls {
        address: String,
        #[source]
        source: SecurityError,
    },
}

/// A channel that connects when it is first used, and again whenever it has to. Call it inside a tokio runtime.
pub fn connect_lazy(address: &str, options: &ChannelOptions) -> Result<Channel, AddressError> {
    let url = match (address.contains("://"), &options.tls) {
        (true, _) => address.to_owned(),
        (false, None) => format!("http://{address}"),
        (false, Some(_)) => format!("https://{address}"),
    };
    let endpoint = Endpoint::from_shared(url).map_err(|source| AddressError::Address {
        address: address.to_owned(),
        source,
    })?;
    let endpoint = with(endpoint, options);
    if endpoint.uri().scheme_str() != Some("https") {
        return Ok(endpoint.connect_lazy());
    }
    let tls = options.tls.clone().unwrap_or_default();
    let connector = ClientConnector::open(tls).map_err(|source| AddressError::Tls {
        address: address.to_owned(),
        source,
    })?;
    Ok(endpoint.connect_with_connector_lazy(connector))
}

pub(crate) fn with(endpoint: Endpoint, options: &ChannelOptions) -> Endpoint {
    endpoint
        .connect_timeout(options.connect_timeout)
        .timeout(options.answer_timeout)
        .http2_keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout)
        .tcp_nodelay(true)
}
