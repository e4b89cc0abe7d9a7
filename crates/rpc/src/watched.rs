//! Files that are read again when they change, so that certificates, keys and secrets are rotated without a restart.
//!
//! Whoever needs the content asks for it; at most once a second that looks at the files. What cannot be read leaves what
//! was read before in force: a rotation that is half done must not lock everybody out.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::SecurityError;

/// Between two looks at the files.
const INTERVAL: Duration = Duration::from_secs(1);

type Read<T> = Box<dyn Fn() -> Result<T, SecurityError> + Send + Sync>;
/// Of each file: when it was written, and how long it is. `None` where it cannot be looked at.
type Stamps = Vec<Option<(SystemTime, u64)>>;

pub(crate) struct Watched<T> {
    /// For the log: `TLS certificate`.
    what: &'static str,
    paths: Vec<PathBuf>,
    read: Read<T>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    /// Of what `value` was read from.
    stamps: Stamps,
    /// Of what could not be read last, so that it is complained of once.
    refused: Option<Stamps>,
    looked_at: Instant,
}

impl<T> Watched<T> {
    /// Reads the files for the first time; here a failure is one.
    pub(crate) fn open(
        what: &'static str,
        paths: Vec<PathBuf>,
        read: impl Fn() -> Result<T, SecurityError> + Send + Sync + 'static,
    ) -> Result<Self, SecurityError> {
        // Before reading: what is written meanwhile is seen at the next look.
        let stamps = stamps(&paths);
        let value = Arc::new(read()?);
        Ok(Self {
            what,
            paths,
            read: Box::new(read),
            state: Mutex::new(State {
                value,
                stamps,
                refused: None,
                looked_at: Instant::now(),
            }),
        })
    }

    /// What the files say now, or said when they could last be read.
    pub(crate) fn current(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked_at.elapsed() >= INTERVAL {
            state.looked_at = Instant::now();
            self.look(&mut state);
        }
        Arc::clone(&state.value)
    }

    fn look(&self, state: &mut State<T>) {
        let stamps = stamps(&self.paths);
        if stamps == state.stamps {
            return;
        }
        match (self.read)() {
            Ok(value) => {
                state.value = Arc::new(value);
                state.stamps = stamps;
                state.refused = None;
                tracing::info!(what = self.what, "read again after a change");
            }
            Err(error) => {
                if state.refused.as_ref() != Some(&stamps) {
                    let error = kycc_telemetry::chain(&error);
                    tracing::error!(
                        what = self.what,
                        error,
                        "changed, but the new one is not usable; the old one stays"
                    );
                    state.refused = Some(stamps);
                }
            }
        }
    }
}

impl<T> fmt::Debug for Watched<T> {
    /// Without the content, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("what", &self.what)
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

/// Of a symbolic link that of its target, which is how Kubernetes swaps secrets.
fn stamps(paths: &[PathBuf]) -> Stamps {
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    paths.iter().map(stamp).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !holds() {
            assert!(Instant::now() < end, "it never came to hold");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_change_is_seen_and_one_that_cannot_be_read_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        std::fs::write(&path, "1").unwrap();
        let from = path.clone();
        let watched = Watched::open("number", vec![path.clone()], move || {
            let text =
                std::fs::read_to_string(&from).map_err(SecurityError::read("number", &from))?;
            let number = text.parse::<u32>();
            number.map_err(|error| SecurityError::file("number", &from, error.to_string()))
        })
        .unwrap();
        assert_eq!(*watched.current(), 1);
        std::fs::write(&path, "no number").unwrap();
        until(|| {
            assert_eq!(*watched.current(), 1);
            let state = watched.state.lock().unwrap();
            state.refused.is_some()
        });
        std::fs::write(&path, "22").unwrap();
        until(|| *watched.current() == 22);
    }
}
