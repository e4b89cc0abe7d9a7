//! Times, durations, counts and statuses as text for pages.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

fn instant(at: Option<Timestamp>) -> Option<DateTime<Utc>> {
    let at = at?;
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

/// `2026-01-31 00:00:00 UTC`, or a dash.
pub(crate) fn time(at: Option<Timestamp>) -> String {
    instant(at).map_or_else(
        || "–".into(),
        |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// Seconds from start to end, or a dash while one is missing.
pub(crate) fn took(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (instant(from), instant(to)) {
        (Some(from), Some(to)) => format!(
            "{:.2} s",
            (to - from).num_milliseconds().max(0) as f64 / 1000.0
        ),
        _ => "–".into(),
    }
}

/// The last part of a proto enum's name: `SUCCESS` of `RUN_STATUS_SUCCESS`.
pub(crate) fn bare<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// `1 234 567`, grouped by thin spaces that do not break.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_time_is_a_dash_and_never_the_epoch() {
        assert_eq!(time(None), "–");
        assert_eq!(
            time(Some(Timestamp {
                seconds: 0,
                nanos: 0
            })),
            "1970-01-01 00:00:00 UTC"
        );
        assert_eq!(took(Some(Timestamp::default()), None), "–");
    }

    #[test]
    fn statuses_lose_their_prefix_and_counts_are_grouped() {
        assert_eq!(bare("RUN_STATUS_SUCCESS", "RUN_STATUS_"), "SUCCESS");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
