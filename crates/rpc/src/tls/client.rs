//! The client's end: whom it trusts, and the certificate that it shows.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

use super::{ALPN, pem, provider};
use crate::SecurityError;
use crate::watched::Watched;

/// Files of PEM. New ones count from the next connection on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClientTls {
    /// Roots of the server's certificate; without it those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// What this client shows to servers that ask; it needs `key_file` too.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must have, where that is not the host of its address.
    pub domain_name: Option<String>,
}

impl ClientTls {
    fn config(&self) -> Result<ClientConfig, SecurityError> {
        let identity = match (&self.cert_file, &self.key_file) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert, key)),
            _ => {
                return Err(SecurityError::setting(
                    "cert_file",
                    "a client's certificate and its key go together: set both or none",
                ));
            }
        };
        let builder = client_config(self.ca_file.as_ref())?;
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                const WHAT: &str = "client certificate";
                let chain = pem::certificates(WHAT, cert)?;
                let made = builder.with_client_auth_cert(chain, pem::key(key)?);
                made.map_err(|error| SecurityError::file(WHAT, cert, error.to_string()))?
            }
        };
        config.alpn_protocols.push(ALPN.to_vec());
        Ok(config)
    }

    fn files(&self) -> Vec<PathBuf> {
        let files = [&self.ca_file, &self.cert_file, &self.key_file];
        files.into_iter().flatten().cloned().collect()
    }
}

/// Trusts the roots of `ca_file`, or of the system.
pub(crate) fn client_config(
    ca_file: Option<&PathBuf>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, SecurityError> {
    let roots = match ca_file {
        Some(file) => pem::roots("CA file", file)?,
        None => system_roots()?,
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| SecurityError::setting("security.tls", error.to_string()))?;
    Ok(builder.with_root_certificates(roots))
}

fn system_roots() -> Result<RootCertStore, SecurityError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems have certificates that nobody can parse; the others count.
    roots.add_parsable_certificates(loaded.certs);
    if roots.is_empty() {
        let problems: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
        return Err(SecurityError::SystemRoots {
            problem: match problems.is_empty() {
                true => "there are none; name a ca_file".to_owned(),
                false => problems.join("; "),
            },
        });
    }
    Ok(roots)
}

/// Makes connections to one server.
#[derive(Debug, Clone)]
pub(crate) struct ClientConnector {
    config: Arc<Watched<ClientConfig>>,
    domain_name: Option<ServerName<'static>>,
}

impl ClientConnector {
    pub(crate) fn open(tls: ClientTls) -> Result<Self, SecurityError> {
        let name = |name: String| {
            let parsed = ServerName::try_from(name.clone());
            parsed.map_err(|_| {
                SecurityError::setting("domain_name", format!("{name:?} is no name of a server"))
            })
        };
        let domain_name = tls.domain_name.clone().map(name).transpose()?;
        let files = tls.files();
        let config = Watched::open("client certificate", files, move || tls.config())?;
        Ok(Self {
            config: Arc::new(config),
            domain_name,
        })
    }
}

impl Service<Uri> for ClientConnector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = TlsConnector::from(self.config.current());
        let domain_name = self.domain_name.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let name = match domain_name {
                Some(name) => name,
                None => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
            };
            let tcp = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
            tcp.set_nodelay(true)?;
            let tls = connector.connect(name, tcp).await?;
            if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
                return Err(io::Error::other("the server does not speak HTTP/2"));
            }
            Ok(TokioIo::new(tls))
        })
    }
}
