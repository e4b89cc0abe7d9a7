//! What is wrong with a store, from its error: what a person is told to do, and whether trying again may help.
//!
//! The client keeps the types of its HTTP errors to itself, so that statuses and codes are read from their text; here
//! and nowhere else, and tests against a real server hold it.

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::io;

/// Texts end a sentence that says what was being done, to which path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreProblem {
    #[error(
        "its store cannot be reached; check the network and the endpoint (AWS_ENDPOINT_URL, for s3)"
    )]
    Unreachable,
    #[error("its store did not answer in time, or asks to be left alone for a while")]
    Busy,
    #[error("its store refuses access; check the credentials and what they permit")]
    Denied,
    #[error(
        "no credentials could be had; set them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for s3), or give this \
         machine a role"
    )]
    NoCredentials,
    #[error("its bucket does not exist; make it, or correct the lake's URL")]
    NoBucket,
    #[error("the disk is full; make room")]
    Full,
    #[error("its store refuses the request; check region and endpoint")]
    Refused,
    #[error("its store does not do what a lake needs")]
    Unsupported,
    #[error("it is not there any more")]
    Gone,
    #[error("its store failed")]
    Failed,
}

impl StoreProblem {
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::NotFound { source, .. } if names_bucket(&source.to_string()) => Self::NoBucket,
            Error::NotFound { .. } => Self::Gone,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Denied,
            Error::InvalidPath { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. }
            | Error::UnknownConfigurationKey { .. } => Self::Unsupported,
            // Of somebody who is writing the same object just now.
            Error::AlreadyExists { .. } | Error::Precondition { .. } => Self::Busy,
            Error::Generic { source, .. } => generic(source.as_ref()),
            _ => Self::Failed,
        }
    }

    /// Of the store's own error, however deep it lies below this one.
    pub(crate) fn beneath(error: &(dyn StdError + 'static)) -> Option<Self> {
        causes(error).find_map(|cause| cause.downcast_ref().map(Self::of))
    }

    /// Stable, for programs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreachable | Self::Busy | Self::Failed => "LAKE_UNAVAILABLE",
            Self::Denied | Self::NoCredentials => "LAKE_ACCESS_DENIED",
            Self::NoBucket => "LAKE_BUCKET_MISSING",
            Self::Full => "LAKE_DISK_FULL",
            Self::Refused => "LAKE_REQUEST_REFUSED",
            Self::Unsupported => "LAKE_STORE_UNSUITABLE",
            Self::Gone => "LAKE_FILE_GONE",
        }
    }

    /// Whether the same call may succeed later without anybody changing the lake's settings or rights.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::Busy | Self::Full | Self::Failed
        )
    }
}

fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn generic(error: &(dyn StdError + 'static)) -> StoreProblem {
    let text = error.to_string();
    // Where machines of the clouds ask who they are.
    let identity = [
        "169.254.169.254",
        "169.254.170.2",
        "metadata.google.internal",
    ];
    if identity.iter().any(|host| text.contains(host)) {
        return StoreProblem::NoCredentials;
    }
    if names_bucket(&text) {
        return StoreProblem::NoBucket;
    }
    for cause in causes(error) {
        if let Some(error) = cause.downcast_ref::<HttpError>() {
            return match error.kind() {
                HttpErrorKind::Connect => StoreProblem::Unreachable,
                HttpErrorKind::Timeout | HttpErrorKind::Interrupted | HttpErrorKind::Request => {
                    StoreProblem::Busy
                }
                _ => StoreProblem::Failed,
            };
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    StoreProblem::Denied
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreProblem::Full,
                _ => StoreProblem::Failed,
            };
        }
    }
    match status(&text) {
        Some(401 | 403) => StoreProblem::Denied,
        Some(408 | 429 | 500..) => StoreProblem::Busy,
        Some(400..) => StoreProblem::Refused,
        _ if text.contains("redirect") => StoreProblem::Refused,
        _ => StoreProblem::Failed,
    }
}

/// The codes of S3, Google and Azure for a bucket that is not there.
fn names_bucket(text: &str) -> bool {
    [
        "NoSuchBucket",
        "ContainerNotFound",
        "specified bucket does not exist",
    ]
    .iter()
    .any(|code| text.contains(code))
}

fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

/// Whether the connection went away with the answer, so that the write may have been done or not. The client repeats
/// by itself what it knows to be harmless, which conditional writes are not to it.
pub(crate) fn interrupted(error: &Error) -> bool {
    causes(error)
        .find_map(|cause| cause.downcast_ref::<HttpError>())
        .is_some_and(|error| matches!(error.kind(), HttpErrorKind::Interrupted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(source: impl Into<Box<dyn StdError + Send + Sync>>) -> StoreProblem {
        let source = source.into();
        StoreProblem::of(&Error::Generic {
            store: "S3",
            source,
        })
    }

    #[test]
    fn statuses_tell_what_waiting_mends_from_what_it_does_not() {
        let status =
            |code: u16| problem(format!("Server returned non-2xx status code: {code} X: "));
        assert_eq!(status(503), StoreProblem::Busy);
        assert_eq!(status(429), StoreProblem::Busy);
        assert_eq!(status(400), StoreProblem::Refused);
        assert_eq!(status(403), StoreProblem::Denied);
        assert!(status(500).retryable() && !status(400).retryable());
        assert_eq!(problem("something else"), StoreProblem::Failed);
    }

    #[test]
    fn errors_of_the_local_disk_are_told_by_their_kind() {
        let io = |kind: io::ErrorKind| problem(io::Error::from(kind));
        assert_eq!(io(io::ErrorKind::PermissionDenied), StoreProblem::Denied);
        assert_eq!(io(io::ErrorKind::StorageFull), StoreProblem::Full);
        assert_eq!(io(io::ErrorKind::Interrupted), StoreProblem::Failed);
    }

    #[test]
    fn a_missing_bucket_is_not_a_missing_object() {
        let missing = |text: &str| {
            StoreProblem::of(&Error::NotFound {
                path: "p".into(),
                source: text.into(),
            })
        };
        assert_eq!(missing("<Code>NoSuchBucket</Code>"), StoreProblem::NoBucket);
        assert_eq!(missing("<Code>NoSuchKey</Code>"), StoreProblem::Gone);
        assert!(!StoreProblem::Gone.retryable());
    }

    #[test]
    fn a_machine_without_a_role_is_told_to_get_credentials() {
        let text = "Error performing PUT http://169.254.169.254/latest/api/token in 1s - error";
        assert_eq!(problem(text), StoreProblem::NoCredentials);
    }
}
