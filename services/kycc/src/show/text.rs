//! Small pieces of text: times, durations, counts, identifiers.

use chrono::{DateTime, Utc};
use kycc_proto::orchestrator::v1::{FailureKind, RunStatus, StepStatus};
use prost_types::Timestamp;

/// `2026-01-31 00:00:00`, UTC; `-` when absent.
pub(crate) fn time(at: Option<Timestamp>) -> String {
    instant(at).map_or_else(
        || "-".into(),
        |at| at.format("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The same instant as RFC 3339, for programs.
pub(crate) fn rfc3339(at: Option<Timestamp>) -> Option<String> {
    instant(at).map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

fn instant(at: Option<Timestamp>) -> Option<DateTime<Utc>> {
    let at = at?;
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

/// `0.42 s`, `3 m 12 s`; `-` while it has not ended.
pub(crate) fn elapsed(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    let (Some(from), Some(to)) = (instant(from), instant(to)) else {
        return "-".into();
    };
    let millis = (to - from).num_milliseconds().max(0);
    if millis < 60_000 {
        format!("{}.{:02} s", millis / 1000, millis % 1000 / 10)
    } else {
        format!("{} m {:02} s", millis / 60_000, millis % 60_000 / 1000)
    }
}

/// The first characters of a text, on one line; what was cut is marked.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `13.4 MB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// The status without its prefix: `SUCCESS`.
pub(crate) fn run_status(status: i32) -> &'static str {
    let name = RunStatus::try_from(status)
        .unwrap_or_default()
        .as_str_name();
    name.trim_start_matches("RUN_STATUS_")
}

pub(crate) fn failure_kind(kind: i32) -> &'static str {
    let name = FailureKind::try_from(kind)
        .unwrap_or_default()
        .as_str_name();
    name.trim_start_matches("FAILURE_KIND_")
}

pub(crate) fn step_status(status: i32) -> &'static str {
    let name = StepStatus::try_from(status)
        .unwrap_or_default()
        .as_str_name();
    name.trim_start_matches("STEP_STATUS_")
}

/// A decimal with at most `places` digits after the point, without trailing zeros; beyond 10¹⁵ by its power of ten.
pub(crate) fn decimal(value: f64, places: usize) -> String {
    if value.abs() > 1e15 {
        return format!("{value:e}");
    }
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn long_texts_are_cut_between_characters_and_stay_on_a_line() {
        assert_eq!(shortened("a\n\tb", 3), "a b");
        assert_eq!(shortened("éèê", 2), "éè…");
        assert_eq!(shortened("éèê", 3), "éèê");
    }

    #[test]
    fn byte_sizes_never_show_a_thousand_of_a_unit() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(bytes(13_400_000), "13.4 MB");
    }

    #[test]
    fn decimals_drop_trailing_zeros_only_after_the_point() {
        assert_eq!(decimal(100.0, 3), "100");
        assert_eq!(decimal(0.8, 3), "0.8");
        assert_eq!(decimal(5.0, 0), "5");
        assert_eq!(decimal(-1e308, 2), "-1e308");
    }
}
