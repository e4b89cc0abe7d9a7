//! How much of a server strangers may use.

use std::time::Duration;

use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// More are closed as soon as they are accepted.
    pub max_connections: usize,
    /// TLS handshakes that have begun; more are closed as soon as they are accepted.
    pub max_handshakes: usize,
    /// For the TLS handshake, and again for the first bytes of HTTP/2.
    pub handshake_timeout: Duration,
    /// Calls of one connection at the same time, streams included.
    pub max_streams_per_connection: u32,
    /// After that a connection takes no new calls, and its client makes another: how clients of a balancer come to new
    /// processes, and a certificate that is no longer trusted comes to its end. None keeps them for ever.
    pub max_connection_age: Option<Duration>,
    /// For calls that are under way when a connection has reached its age.
    pub max_connection_age_grace: Duration,
    /// Request messages in memory, of all calls together, in bytes.
    pub max_message_bytes: usize,
    /// One caller's share, by principal, or by address where nobody is known; None sets no bounds.
    pub per_caller: Option<CallerLimits>,
    /// Calls with bad credentials that one address may make in the long run.
    pub failed_authentications_per_minute: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CallerLimits {
    pub calls_per_second: u32,
    /// Calls at once, after a rest.
    pub burst: u32,
    /// Calls that have no answer yet.
    pub concurrent_calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_handshakes: 512,
            handshake_timeout: Duration::from_secs(10),
            max_streams_per_connection: 512,
            max_connection_age: None,
            max_connection_age_grace: Duration::from_secs(60),
            max_message_bytes: 256 * 1024 * 1024,
            per_caller: None,
            failed_authentications_per_minute: 60,
        }
    }
}

impl Default for CallerLimits {
    fn default() -> Self {
        Self {
            calls_per_second: 1000,
            burst: 2000,
            concurrent_calls: 256,
        }
    }
}
