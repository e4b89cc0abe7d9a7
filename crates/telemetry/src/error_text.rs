//! Errors as one line of a log.

use std::error::Error;

/// The error and its sources, joined by `: `. For logs only: an answer never carries the sources.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot save the run")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_sources_follow_the_error() {
        let error = Outer(std::io::Error::other("disk full"));
        assert_eq!(chain(&error), "cannot save the run: disk full");
    }
}
