//! What can go wrong between a service and its database, classed so that retrying decides from codes, never from text.

mod class;

use std::path::PathBuf;

/// Whether the change may have happened although an error was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    NotApplied,
    Unknown,
}

/// URLs in it are [`redacted`](crate::redacted).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store url {url:?} is not supported: expected sqlite:///path/to/file.db, sqlite::memory: or \
         postgres://user:password@host:port/database"
    )]
    Url { url: String },
    #[error("the store url's parameter {key} is not valid: expected {expected}")]
    Parameter { key: String, expected: String },
    #[error("cannot create the folder {} of the state store; check its permissions or choose another with --data-dir", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot open the state store {url}")]
    Open {
        url: String,
        #[source]
        source: sqlx::Error,
    },
    #[error(
        "the state store's tables of {service} are of version {found}, this kycc needs {known}: run `kycc migrate`"
    )]
    Older {
        service: String,
        found: i64,
        known: i64,
    },
    #[error(
        "the state store's tables of {service} are of version {found}, this kycc knows {known}: start the newer kycc that \
         wrote them, or restore a backup from before"
    )]
    Newer {
        service: String,
        found: i64,
        known: i64,
    },
    #[error(
        "migration {version} ({name}) of {service} is not the one that was applied to this state store: start the kycc \
         that wrote it, or begin with an empty state store"
    )]
    Changed {
        service: String,
        version: i64,
        name: String,
    },
    #[error(
        "migration {version} ({name}) of {service} failed; the state store is as it was before"
    )]
    Migration {
        service: String,
        version: i64,
        name: String,
        #[source]
        source: sqlx::Error,
    },
    /// See [`effect`](Self::effect): it may or may not stand.
    #[error("committing a transaction failed")]
    Commit {
        #[source]
        source: sqlx::Error,
    },
    #[error("cannot {operation} in the state store")]
    Query {
        operation: &'static str,
        #[source]
        source: sqlx::Error,
    },
}

impl StoreError {
    /// For `map_err`: names what was being done, e.g. `StoreError::during("insert a run")`.
    pub fn during(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { operation, source }
    }

    /// Stable, UPPER_SNAKE.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Parameter { .. } => "STORE_URL",
            Self::Folder { .. } | Self::Open { .. } => "STORE_UNAVAILABLE",
            Self::Older { .. } => "STORE_OLDER",
            Self::Newer { .. } => "STORE_NEWER",
            Self::Changed { .. } => "STORE_CHANGED",
            Self::Migration { .. } => "STORE_MIGRATION",
            Self::Commit { source } => match class::reason(source) {
                "STORE_QUERY" | "STORE_UNAVAILABLE" => "STORE_COMMIT",
                known => known,
            },
            Self::Query { source, .. } => class::reason(source),
        }
    }

    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Commit { source } if !class::refused(source) => Effect::Unknown,
            _ => Effect::NotApplied,
        }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.reason(),
            "STORE_BUSY"
                | "STORE_CONFLICT"
                | "STORE_TIMEOUT"
                | "STORE_UNAVAILABLE"
                | "STORE_COMMIT"
        )
    }

    /// Whether a row with the same key is there already.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        self.reason() == "STORE_DUPLICATE"
    }

    /// Whether it has used up a time that it was given, so that trying at once again would only double that.
    pub(crate) fn is_exhausted(&self) -> bool {
        matches!(self.reason(), "STORE_BUSY" | "STORE_TIMEOUT")
            || matches!(
                self,
                Self::Query {
                    source: sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed,
                    ..
                }
            )
    }
}
