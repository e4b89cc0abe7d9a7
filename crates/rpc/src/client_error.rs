//! What a caller makes of a `Status`: code, reason, fields, and whether repeating helps.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::FieldViolation;

/// An error that a call ended with; prints the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ClientError {
    code: Code,
    reason: String,
    message: String,
    violations: Vec<FieldViolation>,
    metadata: HashMap<String, String>,
    retry_after: Option<Duration>,
}

impl ClientError {
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The server's reason; where there is none, the name of the code.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Fields of the request at fault.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.violations
    }

    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether nobody answered at all, as opposed to answering with an error.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        self.code == Code::Unavailable && self.reason == "UNAVAILABLE"
    }

    /// Whether the same call may succeed later. A caller repeats it only where it is idempotent: that a server said
    /// nothing does not mean that it did nothing.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.retry_after.is_some()
            || self.code == Code::Unavailable
            // What a call in flight gets when its server drains.
            || (self.code == Code::Cancelled && self.message == "operation was canceled")
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let code = true_code(&status, details.error_info().is_some());
        let (reason, metadata) = match details.error_info() {
            Some(info) => (info.reason.clone(), info.metadata.clone()),
            None => (code_name(code).to_owned(), HashMap::new()),
        };
        let violations = details.bad_request().map_or_else(Vec::new, |bad| {
            bad.field_violations
                .iter()
                .map(|violation| FieldViolation {
                    field: violation.field.clone(),
                    description: violation.description.clone(),
                })
                .collect()
        });
        let message = if status.message().is_empty() {
            format!("the call failed with {}", code_name(code))
        } else {
            status.message().to_owned()
        };
        Self {
            code,
            reason,
            message,
            violations,
            metadata,
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

/// tonic reports its own timeouts as CANCELLED, and a connection that broke under a call as UNKNOWN. A server of the fleet
/// says nothing without an `ErrorInfo`: what comes without one was never said by it.
fn true_code(status: &Status, said_by_server: bool) -> Code {
    match status.code() {
        Code::Cancelled if status.message() == "Timeout expired" => Code::DeadlineExceeded,
        Code::Unknown if !said_by_server => Code::Unavailable,
        code => code,
    }
}

pub(crate) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ApiError;

    fn every_variant() -> Vec<ApiError> {
        let text = String::from;
        vec![
            ApiError::Invalid {
                violations: vec![
                    FieldViolation {
                        field: text("job"),
                        description: text("is empty"),
                    },
                    FieldViolation {
                        field: text("batch_id"),
                        description: text("has a '/'"),
                    },
                ],
            },
            ApiError::not_found("run", "r1"),
            ApiError::not_found_yet("batch", "B1", "run ingest_job for it"),
            ApiError::already_exists("batch", "B1"),
            ApiError::precondition("CIRCULAR_LABELS", "the draft cannot be activated"),
            ApiError::aborted("ETAG_MISMATCH", "the version has changed since"),
            ApiError::OutOfRange {
                reason: text("OFFSET_GAP"),
                message: text("the stream goes on at 70"),
                expected: 70,
            },
            ApiError::exhausted("UPLOAD_TOO_LARGE", "the upload is full"),
            ApiError::Unauthenticated {
                message: text("no token"),
            },
            ApiError::PermissionDenied {
                message: text("viewer may not approve"),
            },
            ApiError::Overloaded {
                message: text("busy"),
                retry_after: Duration::from_millis(250),
            },
            ApiError::unavailable("STORE_BUSY", "the state store is busy"),
            ApiError::DeadlineExceeded {
                deadline: Duration::from_millis(70),
            },
            ApiError::Internal {
                trace_id: text("0af7651916cd43dd8448eb211c80319c"),
            },
        ]
    }

    #[test]
    fn an_error_of_any_length_fits_into_the_trailers_of_an_answer() {
        let violations = (0..100)
            .map(|index| FieldViolation {
                field: format!("features.{index}"),
                description: "ü".repeat(1_000),
            })
            .collect();
        let status = tonic::Status::from(ApiError::Invalid { violations });
        // Percent-encoding triples what is not ASCII, base64 adds a third; a client takes 16 KiB in all.
        let sent = status.message().len() * 3 + status.details().len() * 4 / 3;
        assert!(sent < 15_000, "{sent}");
        let read = ClientError::from(status);
        assert!(read.to_string().contains("features.0"), "{read}");
    }

    #[test]
    fn every_error_is_read_back_as_it_was_sent() {
        for error in every_variant() {
            let seen = ClientError::from(Status::from(error.clone()));
            assert_eq!(seen.code(), error.code(), "{error:?}");
            assert_eq!(seen.reason(), error.reason(), "{error:?}");
            assert_eq!(seen.message(), error.to_string(), "{error:?}");
            match error {
                ApiError::Invalid { violations } => assert_eq!(seen.violations(), violations),
                ApiError::NotFound { what, name, .. } | ApiError::AlreadyExists { what, name } => {
                    assert_eq!(seen.metadata("what"), Some(what.as_str()));
                    assert_eq!(seen.metadata("name"), Some(name.as_str()));
                }
                ApiError::Overloaded { retry_after, .. }
                | ApiError::Unavailable { retry_after, .. } => {
                    assert_eq!(seen.retry_after(), Some(retry_after));
                    assert!(seen.is_transient());
                }
                ApiError::DeadlineExceeded { .. } => {
                    assert_eq!(seen.metadata("deadline_ms"), Some("70"));
                }
                ApiError::Internal { trace_id } => {
                    assert_eq!(seen.metadata("trace_id"), Some(trace_id.as_str()));
                    assert!(seen.message().contains(&trace_id), "{seen}");
                }
                ApiError::OutOfRange { .. } => {
                    assert_eq!(seen.metadata("expected"), Some("70"));
                    assert!(!seen.is_transient());
                }
                ApiError::Precondition { .. }
                | ApiError::Aborted { .. }
                | ApiError::Exhausted { .. }
                | ApiError::Unauthenticated { .. }
                | ApiError::PermissionDenied { .. } => assert!(!seen.is_transient()),
            }
        }
    }

    #[test]
    fn what_can_be_made_is_said_with_how() {
        let error = ApiError::not_found_yet("batch", "B1", "run ingest_job for it");
        let text = "there is no batch \"B1\"; run ingest_job for it";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn an_internal_error_never_tells_its_cause() {
        let cause = std::io::Error::other("password is hunter2");
        let status = Status::from(ApiError::internal(&cause));
        assert!(!status.message().contains("hunter2"));
        assert!(!String::from_utf8_lossy(status.details()).contains("hunter2"));
    }

    #[test]
    fn a_status_of_another_program_is_understood() {
        let seen = ClientError::from(Status::not_found(""));
        assert_eq!(seen.reason(), "NOT_FOUND");
        assert_eq!(seen.to_string(), "the call failed with NOT_FOUND");
    }

    #[test]
    fn a_timeout_of_the_transport_is_a_deadline() {
        let seen = ClientError::from(Status::cancelled("Timeout expired"));
        assert_eq!(seen.code(), Code::DeadlineExceeded);
        let drained = ClientError::from(Status::cancelled("operation was canceled"));
        assert!(drained.is_transient());
    }
    #[test]
    fn a_connection_that_broke_under_a_call_is_a_server_that_did_not_answer() {
        let seen = ClientError::from(Status::unknown("transport error"));
        assert_eq!(seen.code(), Code::Unavailable);
        assert!(seen.is_unreachable() && seen.is_transient());
    }
}
