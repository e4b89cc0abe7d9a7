//! What a client shows beside its certificate: a token or an API key, both as `authorization: Bearer`.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use tokio::time::Instant;

/// Who the client is. Never printed.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nobody, or whom its certificate names.
    #[default]
    None,
    /// A JWT or an API key.
    Bearer(String),
    /// A file that holds one, read again when it changes: tokens that are renewed by somebody else, such as those that
    /// Kubernetes projects.
    TokenFile(PathBuf),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bearer(_) => f.write_str("Bearer(***)"),
            Self::TokenFile(path) => f.debug_tuple("TokenFile").field(path).finish(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("cannot read the token file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{from} holds no token: one line of visible ASCII is expected")]
    Text { from: String },
}

/// Between two looks at a token's file.
const INTERVAL: Duration = Duration::from_secs(1);

/// The header of every call.
#[derive(Debug)]
pub(crate) enum Bearer {
    None,
    Fixed(HeaderValue),
    File { path: PathBuf, held: Mutex<Held> },
}

#[derive(Debug)]
pub(crate) struct Held {
    header: HeaderValue,
    written: Option<SystemTime>,
    looked_at: Instant,
}

impl Bearer {
    pub(crate) fn open(credentials: &Credentials) -> Result<Self, CredentialsError> {
        match credentials {
            Credentials::None => Ok(Self::None),
            Credentials::Bearer(token) => Ok(Self::Fixed(header(token, "the token")?)),
            Credentials::TokenFile(path) => {
                let written = written(path);
                let held = Held {
                    header: read(path)?,
                    written,
                    looked_at: Instant::now(),
                };
                Ok(Self::File {
                    path: path.clone(),
                    held: Mutex::new(held),
                })
            }
        }
    }

    /// What a file said last counts while it cannot be read.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Fixed(header) => Some(header.clone()),
            Self::File { path, held } => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                if held.looked_at.elapsed() >= INTERVAL {
                    held.looked_at = Instant::now();
                    let now = written(path);
                    if now != held.written
                        && let Ok(header) = read(path)
                    {
                        held.header = header;
                        held.written = now;
                    }
                }
                Some(held.header.clone())
            }
        }
    }
}

fn written(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|file| file.modified())
        .ok()
}

fn read(path: &PathBuf) -> Result<HeaderValue, CredentialsError> {
    let text = std::fs::read_to_string(path).map_err(|source| CredentialsError::Read {
        path: path.clone(),
        source,
    })?;
    header(text.trim(), &path.display().to_string())
}

fn header(token: &str, from: &str) -> Result<HeaderValue, CredentialsError> {
    let visible = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let header = visible.then(|| HeaderValue::try_from(format!("Bearer {token}")));
    match header {
        Some(Ok(mut header)) => {
            header.set_sensitive(true);
            Ok(header)
        }
        _ => Err(CredentialsError::Text {
            from: from.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_file_is_read_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let bearer = Bearer::open(&Credentials::TokenFile(path.clone())).unwrap();
        assert_eq!(bearer.header().unwrap(), "Bearer first");
        std::fs::write(&path, "second\n").unwrap();
        let later = written(&path).unwrap() + Duration::from_secs(5);
        let file = std::fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(later).unwrap();
        tokio::time::advance(INTERVAL).await;
        assert_eq!(bearer.header().unwrap(), "Bearer second");
        // Half written or gone: what was read before counts.
        std::fs::remove_file(&path).unwrap();
        tokio::time::advance(INTERVAL).await;
        assert_eq!(bearer.header().unwrap(), "Bearer second");
    }

    #[test]
    fn what_is_no_token_is_refused_and_none_is_ever_printed() {
        for text in ["", "two words", "line\nbreak", "ü"] {
            let error = Bearer::open(&Credentials::Bearer(text.to_owned())).unwrap_err();
            assert!(matches!(error, CredentialsError::Text { .. }), "{text:?}");
        }
        let secret = Credentials::Bearer("hunter2".to_owned());
        let opened = Bearer::open(&secret).unwrap();
        assert!(!format!("{secret:?} {opened:?}").contains("hunter2"));
    }
}
