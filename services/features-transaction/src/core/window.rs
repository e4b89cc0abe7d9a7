//! The window of the transaction features, and the UTC calendar months that it touches.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

const WINDOW: TimeDelta = TimeDelta::days(180);
const RECENT: TimeDelta = TimeDelta::days(30);

/// Month starts that are told apart. 180 days touch seven calendar months at most, for six whole ones have at least
/// 181 days; what lies before the sixth start is of the seventh month.
pub(crate) const MONTH_STARTS: usize = 6;

/// All bounds belong to what they bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: DateTime<Utc>,
    pub(crate) recent_start: DateTime<Utc>,
    pub(crate) as_of: DateTime<Utc>,
    /// First instants of months, newest first: of the month of the as-of time, of the month before, …
    pub(crate) month_starts: [DateTime<Utc>; MONTH_STARTS],
}

impl Window {
    /// `None` where the calendar does not reach back that far.
    pub(crate) fn ending(as_of: DateTime<Utc>) -> Option<Self> {
        let newest = as_of.date_naive().with_day(1)?;
        let mut month_starts = [as_of; MONTH_STARTS];
        for (back, start) in (0..).zip(&mut month_starts) {
            let month: NaiveDate = newest.checked_sub_months(Months::new(back))?;
            *start = month.and_time(NaiveTime::MIN).and_utc();
        }
        Some(Self {
            start: as_of.checked_sub_signed(WINDOW)?,
            recent_start: as_of.checked_sub_signed(RECENT)?,
            as_of,
            month_starts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn bounds_lie_180_and_30_days_back_to_the_microsecond() {
        let window = Window::ending(at("2026-06-15T12:30:00.000001Z")).unwrap();
        assert_eq!(window.start, at("2025-12-17T12:30:00.000001Z"));
        assert_eq!(window.recent_start, at("2026-05-16T12:30:00.000001Z"));
        let months = [
            "2026-06", "2026-05", "2026-04", "2026-03", "2026-02", "2026-01",
        ];
        assert_eq!(
            window.month_starts,
            months.map(|m| at(&format!("{m}-01T00:00:00Z")))
        );
    }

    #[test]
    fn at_most_one_month_lies_before_the_last_start() {
        // Every day of four years, so that every length of month and a leap day take part.
        let first = at("2023-01-01T00:00:00Z");
        for day in 0..4 * 366 {
            let window = Window::ending(first + TimeDelta::days(day)).unwrap();
            let oldest_start = window.month_starts[MONTH_STARTS - 1];
            let month_before = oldest_start.checked_sub_months(Months::new(1)).unwrap();
            assert!(window.start >= month_before, "{}", window.as_of);
        }
    }

    #[test]
    fn an_instant_at_the_beginning_of_the_calendar_has_no_window() {
        assert_eq!(Window::ending(DateTime::<Utc>::MIN_UTC), None);
    }
}
