//! The URL of a queue on Redis: where the server is, and which namespace of it is meant. Never shown with its password.

use redis::{Client, ConnectionInfo, IntoConnectionInfo};
use url::Url;

use super::RedisOptions;

#[derive(Debug, thiserror::Error)]
pub enum RedisUrlError {
    #[error(
        "the queue's url is no url of a redis server: expected redis://[user:password@]host[:port][/database]\
         [?namespace=name], or rediss:// for TLS"
    )]
    Server {
        /// None where the parser's own text might repeat the password.
        #[source]
        source: Option<redis::RedisError>,
    },
    #[error("the queue's url asks for {name:?}, which is unknown: expected namespace")]
    Parameter { name: String },
    #[error(
        "{namespace:?} cannot be the namespace of a queue: expected 1 to 64 ASCII letters, digits, - and _"
    )]
    Namespace { namespace: String },
}

/// Where the queue is.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) client: Client,
    pub(super) namespace: String,
    /// Without user and password.
    shown: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address")
            .field("server", &self.shown)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Address {
    /// The URL's own namespace goes before the one of the options.
    pub(super) fn parse(text: &str, options: &RedisOptions) -> Result<Self, RedisUrlError> {
        let mut url = Url::parse(text).map_err(|_| RedisUrlError::Server { source: None })?;
        if !matches!(url.scheme(), "redis" | "rediss") {
            return Err(RedisUrlError::Server { source: None });
        }
        let mut namespace = options.namespace.clone();
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "namespace" => namespace = value.into_owned(),
                _ => {
                    let name = name.into_owned();
                    return Err(RedisUrlError::Parameter { name });
                }
            }
        }
        if !is_namespace(&namespace) {
            return Err(RedisUrlError::Namespace { namespace });
        }
        url.set_query(None);
        if url.scheme() == "rediss" {
            choose_tls_provider();
        }
        let info: ConnectionInfo = url.as_str().into_connection_info().map_err(refused)?;
        let shown = shown(&url);
        Ok(Self {
            client: Client::open(info).map_err(refused)?,
            namespace,
            shown,
        })
    }
}

fn refused(source: redis::RedisError) -> RedisUrlError {
    RedisUrlError::Server {
        source: Some(source),
    }
}

fn is_namespace(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(known)
}

/// Port and path belong to what an operator wants to see; the credentials do not.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().unwrap_or(6379);
    format!("{}://{host}:{port}{}", url.scheme(), url.path())
}

/// The redis client takes the process's provider and panics where there is none. Whoever chose one before has chosen.
fn choose_tls_provider() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, RedisUrlError> {
        Address::parse(url, &RedisOptions::default())
    }

    #[test]
    fn the_namespace_is_kycc_unless_the_url_says_otherwise() {
        assert_eq!(parse("redis://h").unwrap().namespace, "kycc");
        let named = parse("rediss://u:p@h:7000/2?namespace=blue-2").unwrap();
        assert_eq!(named.namespace, "blue-2");
        assert_eq!(named.shown, "rediss://h:7000/2");
    }

    #[test]
    fn no_password_is_ever_shown() {
        let good = parse("redis://user:hush@h/1").unwrap();
        assert!(!format!("{good:?}").contains("hush"), "{good:?}");
        for bad in [
            "redis://user:hush@h/one",
            "redis://user:hush@h:port",
            "redis://user:hush@",
            "http://user:hush@h",
            "redis://user:hush@h?name=1",
            "redis://user:hush@h?namespace=a.b",
        ] {
            let error = parse(bad).unwrap_err();
            let source = std::error::Error::source(&error);
            let told = format!("{error} {error:?} {source:?}");
            assert!(!told.contains("hush"), "{told}");
        }
    }

    #[test]
    fn a_namespace_cannot_break_out_of_its_keys() {
        for bad in ["", "a.b", "a}b", "a b"] {
            let url = format!("redis://h?namespace={bad}");
            let error = parse(&url).unwrap_err();
            assert!(matches!(error, RedisUrlError::Namespace { .. }), "{error}");
        }
    }
}
