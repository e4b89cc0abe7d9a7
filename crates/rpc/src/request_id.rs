//! The id by which a caller makes repeating a call harmless.

use crate::ApiError;

const MOST_BYTES: usize = 128;

/// Refuses an id that is not worth keeping: it is stored with what it made, for as long as that is kept. Empty means none.
pub fn check_request_id(id: &str) -> Result<(), ApiError> {
    if id.len() <= MOST_BYTES && !id.contains(char::is_control) {
        return Ok(());
    }
    let wanted = format!("takes at most {MOST_BYTES} bytes, and no control characters");
    Err(ApiError::invalid("request_id", wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_visible() {
        for good in ["", "nightly-2026-11-24", "ä", &"x".repeat(MOST_BYTES)] {
            check_request_id(good).unwrap();
        }
        for bad in ["a\0b", "line\n", &"x".repeat(MOST_BYTES + 1)] {
            let error = check_request_id(bad).unwrap_err();
            assert!(error.to_string().starts_with("request_id: "), "{error}");
        }
    }
}
