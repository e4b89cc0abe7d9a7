//! What a client is told.

use std::time::Duration;

use kycc_rpc::{ChannelOptions, ClientTls};

use crate::Credentials;

/// Where the fleet is, and how to talk to it.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `host:port`, `http://host:port` or `https://host:port`.
    pub address: String,
    /// Roots, and a certificate to show; with it an address without a scheme is spoken to over TLS.
    pub tls: Option<ClientTls>,
    pub credentials: Credentials,
    pub connect_timeout: Duration,
    /// Of every call that is no stream and brings no deadline of its own; all of its attempts together.
    pub deadline: Duration,
    pub retry: RetryOptions,
}

impl ClientOptions {
    /// With the defaults of everything else, and no credentials.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            tls: None,
            credentials: Credentials::None,
            connect_timeout: Duration::from_secs(3),
            deadline: Duration::from_secs(30),
            retry: RetryOptions::default(),
        }
    }

    pub(crate) fn channel(&self) -> ChannelOptions {
        ChannelOptions {
            connect_timeout: self.connect_timeout,
            tls: self.tls.clone(),
            ..ChannelOptions::default()
        }
    }
}

/// How often and how soon a call is made again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryOptions {
    /// Of one call, the first among them; 1: none is repeated.
    pub max_attempts: u32,
    /// Before the first repetition. It doubles each time and is shortened by chance, by up to a half.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// Repetitions that may be owed at once, over all calls. Each one takes one away; each call that succeeds gives
    /// `earned` back (gRPC's retry throttling, proposal A6).
    pub budget: f64,
    /// At most 1.
    pub earned: f64,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(2),
            budget: 10.0,
            earned: 0.1,
        }
    }
}

impl RetryOptions {
    /// No call is made twice.
    #[must_use]
    pub fn none() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }
}
