//! Pages of `List*` calls. A token is a cursor in hex with a checksum: opaque, and refused when it is not ours.

use crate::ApiError;

/// The page size to use for what was asked: 0 means `default`, more than `max` means `max`.
pub fn page_size(requested: i32, default: usize, max: usize) -> Result<usize, ApiError> {
    match usize::try_from(requested) {
        Ok(0) => Ok(default),
        Ok(size) => Ok(size.min(max)),
        Err(_) => Err(ApiError::invalid("page_size", "must not be negative")),
    }
}

/// The token that makes the next call go on after `cursor`.
#[must_use]
pub fn page_token(cursor: &str) -> String {
    use std::fmt::Write as _;
    let mut token = format!("{:08x}", checksum(cursor.as_bytes()));
    for byte in cursor.bytes() {
        write!(token, "{byte:02x}").expect("writing to a string does not fail");
    }
    token
}

/// The token that makes the next call go on after the row of that time (microseconds) and id, for lists in that order.
#[must_use]
pub fn position_token(at_micros: i64, id: &str) -> String {
    page_token(&format!("{at_micros} {id}"))
}

/// Time and id of a token of [`position_token`]; `None` for the first page.
pub fn read_position_token(token: &str) -> Result<Option<(i64, String)>, ApiError> {
    let position = |cursor: String| {
        let parsed = cursor
            .split_once(' ')
            .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        parsed.ok_or_else(|| ApiError::invalid("page_token", "is not a token of this list"))
    };
    read_page_token(token)?.map(position).transpose()
}

/// The cursor of a token; `None` for the first page.
pub fn read_page_token(token: &str) -> Result<Option<String>, ApiError> {
    if token.is_empty() {
        return Ok(None);
    }
    let refused = || {
        ApiError::invalid(
            "page_token",
            "is not one that this service gave out; leave it empty to begin",
        )
    };
    let bytes = hex(token).ok_or_else(refused)?;
    let (sum, cursor) = bytes.split_at_checked(4).ok_or_else(refused)?;
    if sum != checksum(cursor).to_be_bytes() {
        return Err(refused());
    }
    let cursor = String::from_utf8(cursor.to_vec()).map_err(|_| refused())?;
    Ok(Some(cursor))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// FNV-1a: catches typing, does not stop forging, which a cursor has no need to.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_cursor() {
        for cursor in ["", "a", "018f-ä/…", "x\0y"] {
            let token = page_token(cursor);
            assert_eq!(read_page_token(&token).unwrap().as_deref(), Some(cursor));
        }
        assert_eq!(read_page_token("").unwrap(), None);
    }

    #[test]
    fn a_token_that_was_not_given_out_is_refused_by_its_field() {
        let mut altered = page_token("cursor");
        altered.replace_range(9..10, "f");
        for token in ["x", "zz", "00", "00000000", "ä", &altered] {
            let error = read_page_token(token).unwrap_err();
            assert!(error.to_string().starts_with("page_token: "), "{token}");
        }
    }

    #[test]
    fn a_token_of_a_position_leads_back_to_time_and_id() {
        for (at, id) in [(7, "1.0-a"), (-1, "with a blank"), (i64::MAX, "")] {
            let read = read_position_token(&position_token(at, id)).unwrap();
            assert_eq!(read, Some((at, id.to_owned())));
        }
        assert_eq!(read_position_token("").unwrap(), None);
        for cursor in ["", "7", "x 7"] {
            let error = read_position_token(&page_token(cursor)).unwrap_err();
            assert!(error.to_string().starts_with("page_token: "), "{cursor}");
        }
    }

    #[test]
    fn page_sizes_are_bounded() {
        assert_eq!(page_size(0, 50, 1000).unwrap(), 50);
        assert_eq!(page_size(7, 50, 1000).unwrap(), 7);
        assert_eq!(page_size(i32::MAX, 50, 1000).unwrap(), 1000);
        page_size(-1, 50, 1000).unwrap_err();
    }
}
