//! Errors of the API. One function makes a `Status` of them, one ([`ClientError`](crate::ClientError)) reads it back.

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "kycc";

/// One field of the request that is not acceptable, by its path: `run_config_json.ops.score_batch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    pub field: String,
    pub description: String,
}

/// An answer that is an error. Texts are for people and say what to do; programs read the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("{}", violations_text(violations))]
    Invalid { violations: Vec<FieldViolation> },
    #[error("there is no {what} {name:?}{}", advice_text(advice.as_deref()))]
    NotFound {
        what: String,
        name: String,
        /// What to do for it to be there.
        advice: Option<String>,
    },
    #[error("{what} {name:?} is there already")]
    AlreadyExists { what: String, name: String },
    /// The request is well-formed, but not for the state that things are in.
    #[error("{message}")]
    Precondition { reason: String, message: String },
    /// Somebody else changed it first: read it again, then decide again.
    #[error("{message}")]
    Aborted { reason: String, message: String },
    /// Beyond where the sequence goes on, which is at `expected`.
    #[error("{message}")]
    OutOfRange {
        reason: String,
        message: String,
        expected: u64,
    },
    /// A bound is reached; repeating the call does not help.
    #[error("{message}")]
    Exhausted { reason: String, message: String },
    #[error("{message}")]
    Unauthenticated { message: String },
    #[error("{message}")]
    PermissionDenied { message: String },
    /// Too much at once; the same call may be repeated after `retry_after`.
    #[error("{message}")]
    Overloaded {
        message: String,
        retry_after: Duration,
    },
    /// A dependency does not answer; the same call may be repeated after `retry_after`.
    #[error("{message}")]
    Unavailable {
        reason: String,
        message: String,
        retry_after: Duration,
    },
    #[error("the call took longer than its deadline of {} ms", deadline.as_millis())]
    DeadlineExceeded { deadline: Duration },
    /// The cause is in the log under the trace id, and nowhere else.
    #[error(
        "an internal error occurred; the server's log tells more{}",
        place_text(trace_id)
    )]
    Internal { trace_id: String },
}

impl ApiError {
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid {
            violations: vec![FieldViolation {
                field: field.into(),
                description: description.into(),
            }],
        }
    }

    /// `not_found("run", run_id)`.
    pub fn not_found(what: impl Into<String>, name: impl Into<String>) -> Self {
        Self::NotFound {
            what: what.into(),
            name: name.into(),
            advice: None,
        }
    }

    /// As [`not_found`](Self::not_found), of what can be made: the text goes on with what to do, such as `run score_job`.
    pub fn not_found_yet(
        what: impl Into<String>,
        name: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::NotFound {
            what: what.into(),
            name: name.into(),
            advice: Some(advice.into()),
        }
    }

    pub fn already_exists(what: impl Into<String>, name: impl Into<String>) -> Self {
        Self::AlreadyExists {
            what: what.into(),
            name: name.into(),
        }
    }

    /// `reason` is stable and UPPER_SNAKE.
    pub fn precondition(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Precondition {
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// `reason` is stable and UPPER_SNAKE.
    pub fn aborted(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Aborted {
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// `reason` is stable and UPPER_SNAKE.
    pub fn exhausted(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Exhausted {
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// `reason` is stable and UPPER_SNAKE.
    pub fn unavailable(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            message: message.into(),
            retry_after: Duration::from_secs(1),
        }
    }

    /// Logs the error with its sources, once; the caller is told the trace id alone.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let trace_id = kycc_telemetry::current_trace_id();
        tracing::error!(trace_id, error = %kycc_telemetry::chain(error), "internal error");
        Self::Internal { trace_id }
    }

    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid { .. } => Code::InvalidArgument,
            Self::NotFound { .. } => Code::NotFound,
            Self::AlreadyExists { .. } => Code::AlreadyExists,
            Self::Precondition { .. } => Code::FailedPrecondition,
            Self::Aborted { .. } => Code::Aborted,
            Self::OutOfRange { .. } => Code::OutOfRange,
            Self::Exhausted { .. } => Code::ResourceExhausted,
            Self::Unauthenticated { .. } => Code::Unauthenticated,
            Self::PermissionDenied { .. } => Code::PermissionDenied,
            Self::Overloaded { .. } => Code::ResourceExhausted,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::DeadlineExceeded { .. } => Code::DeadlineExceeded,
            Self::Internal { .. } => Code::Internal,
        }
    }

    /// Stable, UPPER_SNAKE.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Invalid { .. } => "INVALID_ARGUMENT",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::AlreadyExists { .. } => "ALREADY_EXISTS",
            Self::Precondition { reason, .. }
            | Self::Aborted { reason, .. }
            | Self::OutOfRange { reason, .. }
            | Self::Exhausted { reason, .. }
            | Self::Unavailable { reason, .. } => reason,
            Self::Unauthenticated { .. } => "UNAUTHENTICATED",
            Self::PermissionDenied { .. } => "PERMISSION_DENIED",
            Self::Overloaded { .. } => "OVERLOADED",
            Self::DeadlineExceeded { .. } => "DEADLINE_EXCEEDED",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    /// What `ErrorInfo` carries beside the reason.
    fn metadata(&self) -> BTreeMap<&'static str, String> {
        match self {
            Self::NotFound { what, name, .. } | Self::AlreadyExists { what, name } => {
                BTreeMap::from([("what", what.clone()), ("name", name.clone())])
            }
            Self::OutOfRange { expected, .. } => {
                BTreeMap::from([("expected", expected.to_string())])
            }
            Self::DeadlineExceeded { deadline } => {
                BTreeMap::from([("deadline_ms", deadline.as_millis().to_string())])
            }
            Self::Internal { trace_id } => BTreeMap::from([("trace_id", trace_id.clone())]),
            _ => BTreeMap::new(),
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        let metadata: std::collections::HashMap<String, String> = error
            .metadata()
            .into_iter()
            .map(|(key, value)| (key.to_owned(), shortened(&value, MOST_DETAIL_BYTES)))
            .collect();
        let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, metadata);
        match &error {
            ApiError::Invalid { violations } => {
                for violation in violations.iter().take(MOST_VIOLATIONS) {
                    details.add_bad_request_violation(
                        shortened(&violation.field, MOST_DETAIL_BYTES),
                        shortened(&violation.description, MOST_DETAIL_BYTES),
                    );
                }
            }
            ApiError::Overloaded { retry_after, .. }
            | ApiError::Unavailable { retry_after, .. } => {
                details.set_retry_info(Some(*retry_after));
            }
            _ => {}
        }
        let message = shortened(&error.to_string(), MOST_MESSAGE_BYTES);
        Status::with_error_details(error.code(), message, details)
    }
}

/// A status travels in HTTP/2 trailers, of which clients take 16 KiB, details in base64: what is longer would reach them as
/// a protocol error without a word of it.
const MOST_VIOLATIONS: usize = 10;
const MOST_DETAIL_BYTES: usize = 400;
const MOST_MESSAGE_BYTES: usize = 2_000;

fn shortened(text: &str, most_bytes: usize) -> String {
    if text.len() <= most_bytes {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most_bytes)])
}

fn advice_text(advice: Option<&str>) -> String {
    advice.map_or_else(String::new, |advice| format!("; {advice}"))
}

/// Empty only where the process keeps no spans.
fn place_text(trace_id: &str) -> String {
    if trace_id.is_empty() {
        String::new()
    } else {
        format!(" under trace id {trace_id}")
    }
}

fn violations_text(violations: &[FieldViolation]) -> String {
    let texts: Vec<String> = violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.description))
        .collect();
    texts.join("; ")
}
