//! Rows of one table, spelled as JSON objects or CSV records straight into the output's buffer: no allocation per row.

use crate::{error::SyntheticError, output::Output};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Objects of a JSON array, comma between them.
    Array,
    /// An object per line.
    Lines,
    Csv,
}

/// An identifier: prefix, number padded with zeros, suffix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id {
    pub(crate) prefix: &'static str,
    pub(crate) number: u64,
    pub(crate) width: usize,
    pub(crate) suffix: &'static str,
}

/// Fields must be given in the order of the columns, each once; the first is never absent.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    output: &'a mut Output,
    layout: Layout,
    columns: &'static [&'static str],
    next: usize,
    written: u64,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        output: &'a mut Output,
        layout: Layout,
        columns: &'static [&'static str],
    ) -> Self {
        if layout == Layout::Csv {
            output
                .buffer
                .extend_from_slice(columns.join(",").as_bytes());
            output.buffer.push(b'\n');
        }
        Self {
            output,
            layout,
            columns,
            next: 0,
            written: 0,
        }
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Plain words without quotes, backslashes or control characters: nothing here escapes them.
    pub(crate) fn text(&mut self, column: &str, value: &str) {
        debug_assert!(
            !value.contains(['"', '\\', '\n', '\r']),
            "{value:?} needs escapes"
        );
        self.start(column);
        if self.layout != Layout::Csv || value.contains(',') {
            self.quoted(|buffer| buffer.extend_from_slice(value.as_bytes()));
        } else {
            self.output.buffer.extend_from_slice(value.as_bytes());
        }
    }

    pub(crate) fn id(&mut self, column: &str, id: Id) {
        self.start(column);
        let spell = |buffer: &mut Vec<u8>| {
            buffer.extend_from_slice(id.prefix.as_bytes());
            push_number(buffer, id.number, id.width);
            buffer.extend_from_slice(id.suffix.as_bytes());
        };
        if self.layout == Layout::Csv {
            spell(&mut self.output.buffer)
        } else {
            self.quoted(spell)
        }
    }

    pub(crate) fn whole(&mut self, column: &str, value: u64) {
        self.start(column);
        push_number(&mut self.output.buffer, value, 1);
    }

    /// An amount in ten-thousandths: two decimals, or four where it has them.
    pub(crate) fn amount(&mut self, column: &str, ten_thousandths: i64) {
        self.start(column);
        push_amount(&mut self.output.buffer, ten_thousandths);
    }

    /// A time in seconds since 1970, as RFC 3339 in UTC.
    pub(crate) fn time(&mut self, column: &str, seconds: i64) {
        self.start(column);
        if self.layout == Layout::Csv {
            push_time(&mut self.output.buffer, seconds);
        } else {
            self.quoted(|buffer| push_time(buffer, seconds));
        }
    }

    /// Left out in JSON, empty in CSV.
    pub(crate) fn absent(&mut self, column: &str) {
        if self.layout == Layout::Csv {
            self.start(column);
        } else {
            self.expect(column);
            self.next += 1;
        }
    }

    pub(crate) fn end(&mut self) -> Result<(), SyntheticError> {
        debug_assert_eq!(
            self.next,
            self.columns.len(),
            "a row ends before its last column"
        );
        self.next = 0;
        self.written += 1;
        self.output.buffer.extend_from_slice(match self.layout {
            Layout::Array => b"}".as_slice(),
            Layout::Lines => b"}\n",
            Layout::Csv => b"\n",
        });
        self.output.flush_if_full()
    }

    fn start(&mut self, column: &str) {
        self.expect(column);
        let buffer = &mut self.output.buffer;
        let first = self.next == 0;
        self.next += 1;
        if self.layout == Layout::Csv {
            if !first {
                buffer.push(b',');
            }
            return;
        }
        buffer.extend_from_slice(match (first, self.layout, self.written) {
            (false, ..) => b",\"".as_slice(),
            (true, Layout::Array, 1..) => b",\n{\"",
            (true, ..) => b"{\"",
        });
        buffer.extend_from_slice(column.as_bytes());
        buffer.extend_from_slice(b"\":");
    }

    fn expect(&self, column: &str) {
        debug_assert_eq!(self.columns[self.next], column, "fields out of order");
    }

    fn quoted(&mut self, spell: impl FnOnce(&mut Vec<u8>)) {
        self.output.buffer.push(b'"');
        spell(&mut self.output.buffer);
        self.output.buffer.push(b'"');
    }
}

fn push_number(buffer: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < width {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    buffer.extend_from_slice(&digits[start..]);
}

fn push_amount(buffer: &mut Vec<u8>, ten_thousandths: i64) {
    if ten_thousandths < 0 {
        buffer.push(b'-');
    }
    let size = ten_thousandths.unsigned_abs();
    push_number(buffer, size / 10_000, 1);
    buffer.push(b'.');
    if size.is_multiple_of(100) {
        push_number(buffer, size / 100 % 100, 2);
    } else {
        push_number(buffer, size % 10_000, 4);
    }
}

/// Years 0 to 9999 only: the spec's as-of and the greatest age see to that.
fn push_time(buffer: &mut Vec<u8>, seconds: i64) {
    let (year, month, day) = civil_date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400) as u64;
    push_number(buffer, year, 4);
    for (separator, part) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3_600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        buffer.push(separator);
        buffer.push(b'0' + (part / 10) as u8);
        buffer.push(b'0' + (part % 10) as u8);
    }
    buffer.push(b'Z');
}

/// Year, month and day of a count of days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms",
/// `civil_from_days`), four times faster than going through a date type for each of millions of rows.
fn civil_date(days: i64) -> (u64, u64, u64) {
    const ERA_DAYS: i64 = 146_097;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u64, month as u64, day as u64)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};

    use super::*;

    fn spelled(spell: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut buffer = Vec::new();
        spell(&mut buffer);
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn amounts_have_two_decimals_or_four() {
        for (value, text) in [
            (0, "0.00"),
            (100, "0.01"),
            (-12_345_600, "-1234.56"),
            (10_001, "1.0001"),
            (-5, "-0.0005"),
            (12_300, "1.23"),
        ] {
            assert_eq!(spelled(|buffer| push_amount(buffer, value)), text);
        }
    }

    #[test]
    fn numbers_are_padded_and_never_cut() {
        assert_eq!(spelled(|buffer| push_number(buffer, 0, 1)), "0");
        assert_eq!(spelled(|buffer| push_number(buffer, 42, 5)), "00042");
        assert_eq!(
            spelled(|buffer| push_number(buffer, u64::MAX, 5)),
            u64::MAX.to_string()
        );
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let mut seconds = -1_500_000_000;
        while seconds < 253_402_300_799 {
            let expected = DateTime::from_timestamp(seconds, 0)
                .unwrap()
                .to_rfc3339_opts(SecondsFormat::Secs, true);
            assert_eq!(spelled(|buffer| push_time(buffer, seconds)), expected);
            seconds += 86_400 * 29 + 4_321;
        }
    }

    #[test]
    fn csv_keeps_a_column_for_what_is_absent_and_quotes_commas() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::create(folder.path().join("a.csv")).unwrap();
        let mut rows = Rows::new(&mut output, Layout::Csv, &["a", "b", "c"]);
        rows.whole("a", 1);
        rows.absent("b");
        rows.text("c", "x, y");
        rows.end().unwrap();
        assert_eq!(output.buffer, b"a,b,c\n1,,\"x, y\"\n");
    }
}
