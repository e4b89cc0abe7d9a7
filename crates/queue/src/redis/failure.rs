//! What an error of the client means to who called: whether it happened, and whether the connection is still good.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::{Effect, QueueError};

/// A call that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no connection, so nothing was asked.
    Connect(RedisError),
    /// No answer, or a broken one.
    NoAnswer(Option<RedisError>),
    /// The server's answer is an error.
    Refused(RedisError),
}

impl Failure {
    pub(super) fn of(error: RedisError) -> Self {
        match error.kind() {
            // It became a replica, or loads its data: nothing was done, and another connection may find another server.
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown,
            ) => Self::Connect(error),
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(error),
            _ => Self::NoAnswer(Some(error)),
        }
    }

    /// Whether the connection that it came from must not be used again.
    pub(super) fn spoils_the_connection(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// The connection had been closed, by a server that was restarted for example. A new one may do.
    pub(super) fn is_closed_connection(&self) -> bool {
        matches!(self, Self::NoAnswer(Some(error)) if error.is_connection_dropped())
    }

    /// A stream or its group is gone: the server was emptied while a reader waited.
    pub(super) fn is_missing_group(&self) -> bool {
        matches!(self, Self::Refused(error) if matches!(error.code(), Some("NOGROUP" | "UNBLOCKED")))
    }

    pub(super) fn during(self, operation: &'static str) -> QueueError {
        let unavailable = |effect, source: Option<RedisError>| QueueError::Unavailable {
            operation,
            effect,
            source: source.map(Into::into),
        };
        match self {
            Self::Connect(source) => unavailable(Effect::NotApplied, Some(source)),
            Self::NoAnswer(source) => unavailable(Effect::Unknown, source),
            Self::Refused(source) => QueueError::Refused {
                operation,
                source: source.into(),
            },
        }
    }
}
