//! Times as microseconds since 1970 in UTC, read from RFC 3339 text. No offset means UTC, a date alone its midnight.

const MICROS_PER_SECOND: i64 = 1_000_000;
/// Years that a record may carry; what lies outside is a slip of the keyboard or of a converter.
pub(crate) const YEARS: std::ops::RangeInclusive<i64> = 1600..=2999;
const FIRST: i64 = days(1600, 1, 1) * 86_400 * MICROS_PER_SECOND;
const END: i64 = days(3000, 1, 1) * 86_400 * MICROS_PER_SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeError {
    NotATime,
    OutOfRange,
}

/// Days since 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `count` digits from `at` on.
fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let mut value = 0;
    for byte in text.get(at..at + count)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(value)
}

/// Reads `2025-10-11T17:50:55.872979Z`, `2025-10-11 17:50:55+05:45`, `2025-10-11`. Digits past the microsecond are cut.
pub(crate) fn parse(text: &str) -> Result<i64, TimeError> {
    let micros = read(text.as_bytes()).ok_or(TimeError::NotATime)?;
    checked(micros)
}

/// The same instant, when it lies within the years that a record may carry.
pub(crate) fn checked(micros: i64) -> Result<i64, TimeError> {
    if (FIRST..END).contains(&micros) {
        Ok(micros)
    } else {
        Err(TimeError::OutOfRange)
    }
}

fn read(text: &[u8]) -> Option<i64> {
    let (year, month, day) = (
        digits(text, 0, 4)?,
        digits(text, 5, 2)?,
        digits(text, 8, 2)?,
    );
    let dashes = text[4] == b'-' && text[7] == b'-';
    if !dashes || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let midnight = days(year, month, day) * 86_400;
    if text.len() == 10 {
        return Some(midnight * MICROS_PER_SECOND);
    }
    let (hour, minute, second) = (
        digits(text, 11, 2)?,
        digits(text, 14, 2)?,
        digits(text, 17, 2)?,
    );
    let marks = matches!(text[10], b'T' | b't' | b' ') && text[13] == b':' && text[16] == b':';
    // Second 60 is a leap second; it counts as the first of the next minute.
    if !marks || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, rest) = fraction(&text[19..])?;
    let seconds = midnight + hour * 3_600 + minute * 60 + second - offset(rest)?;
    Some(seconds * MICROS_PER_SECOND + fraction)
}

/// Microseconds of `.872979…` and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else {
        return Some((0, text));
    };
    let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let micros = (0..6).fold(0, |value, place| {
        let digit = if place < count {
            i64::from(digits[place] - b'0')
        } else {
            0
        };
        value * 10 + digit
    });
    Some((micros, &digits[count..]))
}

/// Seconds east of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let sign = match text {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    if text.len() != 6 || text[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(text, 1, 2)?, digits(text, 4, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDateTime};
    use proptest::prelude::*;

    #[test]
    fn an_offset_is_optional_and_a_date_is_its_midnight() {
        let utc = parse("2025-10-11T17:50:55.872979Z").unwrap();
        assert_eq!(utc, 1_760_205_055_872_979);
        for same in [
            "2025-10-11T17:50:55.872979",
            "2025-10-11 17:50:55.872979123z",
            "2025-10-11t23:35:55.872979+05:45",
            "2025-10-11T12:50:55.872979-05:00",
        ] {
            assert_eq!(parse(same), Ok(utc), "{same}");
        }
        assert_eq!(parse("1970-01-02"), Ok(86_400 * MICROS_PER_SECOND));
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2017-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2025-13-01",
            "2025-02-29",
            "2025-00-10",
            "2025-1-1",
            "2025/01/01",
            "2025-01-01T",
            "2025-01-01T24:00:00Z",
            "2025-01-01T10:60:00Z",
            "2025-01-01T10:00",
            "2025-01-01T10:00:00.Z",
            "2025-01-01T10:00:00+5",
            "2025-01-01T10:00:00+0545",
            "2025-01-01T10:00:00Z ",
            "1736000000",
            "２０２５-01-01",
        ] {
            assert_eq!(parse(text), Err(TimeError::NotATime), "{text}");
        }
        for text in [
            "0001-01-01",
            "1599-12-31T23:59:59Z",
            "3000-01-01",
            "9999-12-31",
        ] {
            assert_eq!(parse(text), Err(TimeError::OutOfRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(
            date in "(1[6-9]|2[0-9])[0-9]{2}-[01][0-9]-[0-3][0-9]",
            clock in "[0-2][0-9]:[0-6][0-9]:[0-5][0-9]",
            fraction in "(\\.[0-9]{1,9})?",
            offset in "(Z|[+-][01][0-9]:[0-5][0-9])?",
        ) {
            let text = format!("{date}T{clock}{fraction}{offset}");
            let reference = if offset.is_empty() {
                NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|t| t.and_utc())
            } else {
                DateTime::parse_from_rfc3339(&text).ok().map(|t| t.to_utc())
            };
            let expected = match reference {
                None => Err(TimeError::NotATime),
                Some(time) => checked(time.timestamp_micros()),
            };
            prop_assert_eq!(parse(&text), expected);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
