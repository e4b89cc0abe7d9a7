//! The server's end: its certificate, and whose certificates it takes from clients.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use serde::Serialize;

use super::{ALPN, pem, provider};
use crate::SecurityError;
use crate::watched::Watched;

/// Files of PEM. New ones count from the next connection on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerTls {
    /// The server's certificate, then those between it and its root.
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    /// Roots of clients' certificates; without it none is asked for.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client without a certificate is refused at once, instead of having to prove itself otherwise.
    pub require_client_cert: bool,
}

impl ServerTls {
    /// Reads the files, so that a start fails where a handshake would.
    pub fn check(&self) -> Result<(), SecurityError> {
        self.config().map(drop)
    }

    fn config(&self) -> Result<ServerConfig, SecurityError> {
        const WHAT: &str = "TLS certificate";
        let unusable =
            |error: rustls::Error| SecurityError::file(WHAT, &self.cert_file, error.to_string());
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &self.client_ca_file {
            None if self.require_client_cert => {
                return Err(SecurityError::setting(
                    "security.tls.require_client_cert",
                    "it needs client_ca_file, whose roots clients' certificates are checked against",
                ));
            }
            None => builder.with_no_client_auth(),
            Some(file) => {
                const CA: &str = "client CA file";
                let roots = Arc::new(pem::roots(CA, file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = match self.require_client_cert {
                    true => verifier,
                    false => verifier.allow_unauthenticated(),
                };
                let verifier = verifier
                    .build()
                    .map_err(|error| SecurityError::file(CA, file, error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = pem::certificates(WHAT, &self.cert_file)?;
        let key = pem::key(&self.key_file)?;
        let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
        config.alpn_protocols.push(ALPN.to_vec());
        // A resumed session would stand on a client's certificate that may be trusted no more. Connections last for hours,
        // so whole handshakes cost little.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(config)
    }
}

/// The config in force, by the files as they are now.
#[derive(Debug)]
pub(crate) struct ServerTlsFiles(Watched<ServerConfig>);

impl ServerTlsFiles {
    pub(crate) fn open(tls: ServerTls) -> Result<Self, SecurityError> {
        let files = [&tls.cert_file, &tls.key_file];
        let files = files.into_iter().chain(&tls.client_ca_file).cloned();
        let files = files.collect();
        Watched::open("TLS certificate", files, move || tls.config()).map(Self)
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        self.0.current()
    }
}
