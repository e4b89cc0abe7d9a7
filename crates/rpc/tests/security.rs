//! The front door as strangers find it: real servers, real connections.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

#[path = "security/hostile.rs"]
mod hostile;
#[path = "security/keys.rs"]
mod keys;
#[path = "security/limits.rs"]
mod limits;
#[path = "security/peers.rs"]
mod peers;
#[path = "security/support.rs"]
mod support;
#[path = "security/tls.rs"]
mod tls;
#[path = "security/tokens.rs"]
mod tokens;
