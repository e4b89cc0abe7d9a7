//! TLS on both ends, with rustls and ring: certificates from files that are read again when they change.

mod client;
mod names;
mod pem;
mod server;

pub use client::ClientTls;
pub(crate) use client::{ClientConnector, client_config};
pub(crate) use names::names_of;
pub use server::ServerTls;
pub(crate) use server::ServerTlsFiles;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// gRPC is HTTP/2 and nothing else.
const ALPN: &[u8] = b"h2";

/// Named at every use instead of installed for the process, which belongs to whoever embeds a fleet.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
