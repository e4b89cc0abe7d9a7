//! Where the provider's keys come from: a file that is watched, or a URL that is asked again from time to time, and when a
//! token names a key that nobody knows. The last good keys stay when the source fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::fetch::{FetchError, Fetcher};
use super::jwk::KeySet;
use super::{JwksSource, JwtOptions};
use crate::SecurityError;
use crate::watched::Watched;

/// Calls that wait for one fetch; a flood of unknown keys must not fill the server.
const MOST_WAITING: usize = 64;

#[derive(Debug)]
pub(super) enum Jwks {
    File(Watched<KeySet>),
    Url(Arc<Remote>),
}

impl Jwks {
    pub(super) fn open(options: &JwtOptions) -> Result<Self, SecurityError> {
        match &options.keys {
            JwksSource::File(path) => {
                const WHAT: &str = "JWKS file";
                let from = path.clone();
                let read = move || {
                    let json = std::fs::read(&from).map_err(SecurityError::read(WHAT, &from))?;
                    KeySet::parse(&json)
                        .map_err(|problem| SecurityError::file(WHAT, &from, problem))
                };
                Ok(Self::File(Watched::open(WHAT, vec![path.clone()], read)?))
            }
            JwksSource::Url(url) => Ok(Self::Url(Arc::new(Remote {
                fetcher: Fetcher::new(url, options.jwks_ca_file.as_ref())?,
                refresh: options.refresh,
                at_most_every: options.refresh_at_most_every,
                known: Mutex::default(),
                fetching: AsyncMutex::default(),
                waiting: Semaphore::new(MOST_WAITING),
            }))),
        }
    }

    /// What is known now; a source that has never answered is asked. Old keys are refreshed behind the caller's back.
    pub(super) async fn current(&self) -> Option<Arc<KeySet>> {
        match self {
            Self::File(file) => Some(file.current()),
            Self::Url(remote) => remote.current().await,
        }
    }

    /// After a token named a key that `seen` does not have: newer keys, if there are any.
    pub(super) async fn newer_than(&self, seen: &KeySet) -> Option<Arc<KeySet>> {
        let newer = match self {
            // A change is seen within a second anyway.
            Self::File(file) => Some(file.current()),
            Self::Url(remote) => {
                remote.refresh().await;
                remote.known().keys
            }
        };
        newer.filter(|keys| keys.generation != seen.generation)
    }
}

#[derive(Debug)]
pub(super) struct Remote {
    fetcher: Fetcher,
    refresh: Duration,
    at_most_every: Duration,
    known: Mutex<Known>,
    /// Held by whoever fetches.
    fetching: AsyncMutex<()>,
    waiting: Semaphore,
}

#[derive(Debug, Clone, Default)]
struct Known {
    keys: Option<Arc<KeySet>>,
    fetched_at: Option<Instant>,
    /// Successful or not.
    tried_at: Option<Instant>,
}

impl Remote {
    fn known(&self) -> Known {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn current(self: &Arc<Self>) -> Option<Arc<KeySet>> {
        let known = self.known();
        let Some(keys) = known.keys else {
            self.refresh().await;
            return self.known().keys;
        };
        let old = known
            .fetched_at
            .is_none_or(|at| at.elapsed() >= self.refresh);
        if old && self.may_try() {
            let remote = Arc::clone(self);
            #[expect(
                clippy::disallowed_methods,
                reason = "the spawner stands above this crate; the fetch is bounded and logs how it ends"
            )]
            tokio::spawn(async move { remote.refresh().await });
        }
        Some(keys)
    }

    fn may_try(&self) -> bool {
        let tried_at = self.known().tried_at;
        tried_at.is_none_or(|at| at.elapsed() >= self.at_most_every)
    }

    /// Fetches, unless somebody did a moment ago; who comes meanwhile waits for the same answer.
    async fn refresh(&self) {
        let Ok(_waiting) = self.waiting.try_acquire() else {
            return;
        };
        let _fetching = self.fetching.lock().await;
        if !self.may_try() {
            return;
        }
        let fetched = self.fetch().await;
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tried_at = Some(now);
        match fetched {
            Ok(keys) => {
                known.keys = Some(Arc::new(keys));
                known.fetched_at = Some(now);
            }
            Err(error) => {
                let error = kycc_telemetry::chain(&error);
                let kept = known.keys.is_some();
                tracing::error!(
                    error,
                    kept,
                    "cannot fetch the keys of the identity provider"
                );
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let json = self.fetcher.get().await?;
        KeySet::parse(&json).map_err(|problem| FetchError::Content { problem })
    }
}
