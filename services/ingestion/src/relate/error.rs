//! Why a batch that could be read is not taken.

use kycc_runtime::TaskError;

use crate::stage::error::StageError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RelateError {
    #[error(
        "the batch is empty: of {read} parties {rejected} were rejected and {future} did not exist yet at the as-of time{}",
        list(first)
    )]
    NoParties {
        read: u64,
        rejected: u64,
        future: u64,
        first: Vec<String>,
    },
    #[error(
        "{} were rejected, more than max_rejected_share {most} lets pass; correct them, or raise it. The first:{}",
        past.join(", "), list(first)
    )]
    TooManyRejected {
        most: f64,
        past: Vec<String>,
        first: Vec<String>,
    },
    #[error(
        "the batch has several currencies ({}), and amounts of different currencies must not be added up; split the batch, \
         or set currency_policy to ignore",
        currencies.join(", ")
    )]
    SeveralCurrencies { currencies: Vec<String> },
}

fn list(first: &[String]) -> String {
    first.iter().map(|line| format!("\n  {line}")).collect()
}

impl From<RelateError> for TaskError {
    fn from(error: RelateError) -> Self {
        let message = error.to_string();
        match error {
            RelateError::NoParties { first, .. } => {
                with_record(TaskError::fatal("EMPTY_BATCH", message), first)
            }
            RelateError::TooManyRejected { first, .. } => {
                with_record(TaskError::fatal("TOO_MANY_REJECTED", message), first)
            }
            RelateError::SeveralCurrencies { .. } => {
                TaskError::fatal("SEVERAL_CURRENCIES", message)
            }
        }
    }
}

fn with_record(error: TaskError, first: Vec<String>) -> TaskError {
    match first.into_iter().next() {
        Some(record) => error.with_record(record),
        None => error,
    }
}

impl From<StageError> for TaskError {
    fn from(error: StageError) -> Self {
        let (reason, message) = (error.reason(), error.to_string());
        match error {
            StageError::File { source, .. } => Self::transient(reason, message).with_source(source),
            StageError::Write { source, .. } => {
                Self::transient(reason, message).with_source(source)
            }
            StageError::TooManyIds { .. } => Self::fatal(reason, message),
        }
    }
}
