//! What can go wrong with the temporary files.

#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    #[error(
        "cannot {operation} the temporary file {path}; the folder of the fleet's data needs free space"
    )]
    File {
        operation: &'static str,
        path: String,
        source: std::io::Error,
    },
    #[error(
        "cannot write the temporary file {path}; the folder of the fleet's data needs free space"
    )]
    Write {
        path: String,
        source: arrow::error::ArrowError,
    },
    #[error(
        "the batch names more distinct parties than memory holds (their ids take more than {limit} bytes); split the batch"
    )]
    TooManyIds { limit: usize },
}

impl StageError {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Write { .. } => "STAGING_FAILED",
            Self::TooManyIds { .. } => "TOO_MANY_PARTIES",
        }
    }
}
