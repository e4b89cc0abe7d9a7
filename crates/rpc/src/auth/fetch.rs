//! Fetches a JWKS: one GET, over TLS or on this machine, bounded in time and size, following nobody elsewhere.
//!
//! Written on hyper, which is here anyway, so that no second HTTP client with its own TLS comes into the process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::SecurityError;
use crate::tls::client_config;

const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 1024 * 1024;
const KEY: &str = "security.jwt.jwks_url";

#[derive(Debug)]
pub(super) struct Fetcher {
    url: Uri,
    host: String,
    port: u16,
    /// None for http.
    tls: Option<Arc<ClientConfig>>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("it did not answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    #[error("{host} is not this machine; use https")]
    NotLoopback { host: String },
    #[error("the request failed")]
    Request(#[source] hyper::Error),
    #[error("it answered {status}")]
    Status { status: StatusCode },
    #[error("the answer broke off or is longer than {MOST_BYTES} bytes")]
    Body,
    #[error("{problem}")]
    Content { problem: String },
}

impl Fetcher {
    pub(super) fn new(url: &str, ca_file: Option<&PathBuf>) -> Result<Self, SecurityError> {
        let wrong = |problem: &str| SecurityError::setting(KEY, format!("{url:?}: {problem}"));
        let parsed: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let host = parsed.host().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        if parsed
            .authority()
            .is_some_and(|all| all.as_str().contains('@'))
        {
            return Err(SecurityError::setting(
                KEY,
                "a user and password in it would be shown in logs, and are not supported",
            ));
        }
        let (tls, default_port) = match parsed.scheme_str() {
            Some("https") => {
                let mut config = client_config(ca_file)?.with_no_client_auth();
                config.alpn_protocols.push(b"http/1.1".to_vec());
                (Some(Arc::new(config)), 443)
            }
            Some("http") if may_be_loopback(&host) => (None, 80),
            _ => return Err(wrong("expected https://…, or http:// on this machine")),
        };
        Ok(Self {
            port: parsed.port_u16().unwrap_or(default_port),
            url: parsed,
            host,
            tls,
        })
    }

    pub(super) async fn get(&self) -> Result<Bytes, FetchError> {
        let got = tokio::time::timeout(TIMEOUT, self.get_patiently());
        got.await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn get_patiently(&self) -> Result<Bytes, FetchError> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port));
        let tcp = tcp.await.map_err(FetchError::Connect)?;
        match &self.tls {
            None => {
                // A name such as localhost is whatever the resolver says.
                let peer = tcp.peer_addr().map_err(FetchError::Connect)?;
                if !peer.ip().is_loopback() {
                    let host = self.host.clone();
                    return Err(FetchError::NotLoopback { host });
                }
                self.ask(tcp).await
            }
            Some(config) => {
                let name = ServerName::try_from(self.host.clone());
                let name = name.map_err(|e| FetchError::Connect(std::io::Error::other(e)))?;
                let tls = TlsConnector::from(Arc::clone(config)).connect(name, tcp);
                self.ask(Box::new(tls.await.map_err(FetchError::Connect)?))
                    .await
            }
        }
    }

    async fn ask<I>(&self, io: I) -> Result<Bytes, FetchError>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (mut sender, connection) = http1::handshake(TokioIo::new(io))
            .await
            .map_err(FetchError::Request)?;
        let path = self.url.path_and_query().map_or("/", |path| path.as_str());
        let authority = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, authority)
            .header(header::ACCEPT, "application/json")
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| FetchError::Content {
                problem: error.to_string(),
            })?;
        let asking = async move {
            let answer = sender
                .send_request(request)
                .await
                .map_err(FetchError::Request)?;
            let status = answer.status();
            if status != StatusCode::OK {
                return Err(FetchError::Status { status });
            }
            let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
            body.map(|body| body.to_bytes())
                .map_err(|_| FetchError::Body)
        };
        // The connection moves only while it is polled, and ends once it is asked for nothing more.
        let (answer, _) = futures::future::join(asking, connection).await;
        answer
    }
}

fn may_be_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for url in [
            "http://localhost:1/jwks",
            "http://127.0.0.1/",
            "http://[::1]:8080/x",
        ] {
            Fetcher::new(url, None).unwrap();
        }
        for url in [
            "http://idp.example/jwks",
            "ftp://localhost/",
            "jwks.json",
            "http://localhost.evil/",
            "https://u:p@idp/",
        ] {
            let error = Fetcher::new(url, None).unwrap_err().to_string();
            assert!(error.contains(KEY), "{error}");
        }
    }
}
