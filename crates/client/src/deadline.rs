//! `grpc-timeout`, as the gRPC protocol writes it: at most eight digits and a unit.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The time that the caller gave its call; `None` where it set none, or one that nobody understands.
pub(crate) fn given(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// What is left of it, for the next attempt.
pub(crate) fn set(headers: &mut HeaderMap, left: Duration) {
    let (number, unit) = match left.as_millis() {
        small @ 0..100_000_000 => (small.max(1), 'm'),
        _ => (u128::from(left.as_secs()).min(99_999_999), 'S'),
    };
    // Digits and a letter are always a header.
    if let Ok(value) = HeaderValue::try_from(format!("{number}{unit}")) {
        headers.insert(TIMEOUT, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read_back_to_the_millisecond() {
        for millis in [1, 999, 99_999_999, 99_999_999_000] {
            let mut headers = HeaderMap::new();
            set(&mut headers, Duration::from_millis(millis));
            assert_eq!(given(&headers), Some(Duration::from_millis(millis)));
        }
    }

    #[test]
    fn units_are_those_of_the_protocol() {
        for (text, expected) in [
            ("2H", Some(Duration::from_secs(7_200))),
            ("3M", Some(Duration::from_secs(180))),
            ("5u", Some(Duration::from_micros(5))),
            ("7n", Some(Duration::from_nanos(7))),
            ("7", None),
            ("", None),
            ("7x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT, HeaderValue::try_from(text).unwrap());
            assert_eq!(given(&headers), expected, "{text}");
        }
    }
}
