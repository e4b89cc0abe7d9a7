//! What can go wrong with the run store.

use kycc_store::{Effect, StoreError};

use super::Epoch;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RunStoreError {
    #[error("the run store failed to {operation}")]
    Store {
        operation: &'static str,
        #[source]
        source: StoreError,
    },
    #[error("run {run_id} was moved by somebody else; read it again")]
    Stale { run_id: String },
    #[error("epoch {epoch} is over: another orchestrator leads")]
    Deposed { epoch: Epoch },
    #[error("{what} in the run store cannot be read; was it written by a newer kycc?")]
    Corrupt { what: String },
}

impl RunStoreError {
    /// For `map_err` on what the store itself answers.
    pub(crate) fn store(operation: &'static str) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { operation, source }
    }

    /// For `map_err` on what sqlx answers.
    pub(crate) fn sql(operation: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Store {
            operation,
            source: StoreError::during(operation)(source),
        }
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// Whether the change may have happened although an error was reported.
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Self::Store { source, .. } => source.effect(),
            Self::Stale { .. } | Self::Deposed { .. } | Self::Corrupt { .. } => Effect::NotApplied,
        }
    }

    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Store { source, .. } if source.is_transient())
    }
}
