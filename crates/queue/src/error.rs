//! What can go wrong on the queue, and whether it may have happened all the same.

/// Whether the call may have taken effect although an error was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    NotApplied,
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Never waited out inside the queue: who pushes also reads results, and must go on reading.
    #[error(
        "{stream} is full at {capacity} entries; what was pushed is still to be done and may be pushed again later"
    )]
    Full { stream: String, capacity: usize },
    #[error("the queue did not answer while it was to {operation}")]
    Unavailable {
        operation: &'static str,
        effect: Effect,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// An answer, and it is an error: out of memory, no permission, a key of another kind.
    #[error("the queue refused to {operation}; see its server's memory, permissions and version")]
    Refused {
        operation: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "an entry of {stream} is no message of kycc.work.v1; it was written by another program or version"
    )]
    Undecodable {
        stream: String,
        #[source]
        source: prost::DecodeError,
    },
}

impl QueueError {
    /// Stable, UPPER_SNAKE.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Full { .. } => "QUEUE_FULL",
            Self::Unavailable { .. } => "QUEUE_UNAVAILABLE",
            Self::Refused { .. } => "QUEUE_REFUSED",
            Self::Undecodable { .. } => "QUEUE_UNDECODABLE",
        }
    }

    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Full { .. } | Self::Refused { .. } | Self::Undecodable { .. } => {
                Effect::NotApplied
            }
            Self::Unavailable { effect, .. } => *effect,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Undecodable { .. })
    }
}
