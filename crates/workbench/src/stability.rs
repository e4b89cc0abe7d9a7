//! How far one column has moved between two files: the population stability index over quantiles of the first.

use kycc_domain::psi::{Shift, count_bins, psi_of_counts, quantile_edges};
use serde::Serialize;

use crate::error::WorkbenchError;
use crate::printable::printable;
use crate::significant::cut_names;
use crate::table::Table;

/// Quantile bins that may be asked for.
const BINS: std::ops::RangeInclusive<usize> = 2..=1000;

/// The index with its cells. The last cell is that of missing values where there are any.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StabilityReport {
    pub expected_file: String,
    pub actual_file: String,
    pub column: String,
    pub psi: f64,
    /// What the index stays under in 95 of 100 cases when nothing has moved: `χ²₀.₉₅(B−1)·(1/n + 1/m)`.
    pub no_shift_bound: f64,
    pub reading: Reading,
    pub cells: Vec<Cell>,
    pub notices: Vec<String>,
}

/// The customary reading; a shift counts only where it exceeds chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Stable,
    /// From [`SHIFT_WARN`](kycc_domain::psi::SHIFT_WARN).
    Moved,
    /// From [`SHIFT_FAIL`](kycc_domain::psi::SHIFT_FAIL).
    MovedFar,
}

/// One bin `(low, high]`, open where a bound is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub missing: bool,
    pub expected_rows: u64,
    pub actual_rows: u64,
    pub expected: f64,
    pub actual: f64,
}

impl StabilityReport {
    /// Every cell with the name a person knows it by.
    pub fn named_cells(&self) -> Vec<(String, &Cell)> {
        let edges: Vec<f64> = self.cells.iter().filter_map(|cell| cell.high).collect();
        let edges = cut_names(&edges);
        let name = |(at, cell): (usize, &Cell)| {
            let low = at.checked_sub(1).and_then(|below| edges.get(below));
            match (low, edges.get(at)) {
                _ if cell.missing => "missing".into(),
                (Some(low), Some(high)) => format!("({low}, {high}]"),
                (None, Some(high)) => format!("≤ {high}"),
                (Some(low), None) => format!("> {low}"),
                (None, None) => "all values".into(),
            }
        };
        let names = self.cells.iter().enumerate().map(name);
        names.zip(&self.cells).collect()
    }
}

impl Reading {
    /// The reading in a few words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Moved => "moved",
            Self::MovedFar => "moved far",
        }
    }
}

impl From<Shift> for Reading {
    fn from(shift: Shift) -> Self {
        match shift {
            Shift::Pass => Self::Stable,
            Shift::Warn => Self::Moved,
            Shift::Fail => Self::MovedFar,
        }
    }
}

/// Compares `column` of two tables over `bins` quantiles of the expected one; missing values are a cell of their own.
pub fn stability(
    expected: &Table,
    actual: &Table,
    column: &str,
    bins: usize,
) -> Result<StabilityReport, WorkbenchError> {
    if !BINS.contains(&bins) {
        return Err(WorkbenchError::BadOption {
            what: "the number of bins",
            must: "2 to 1000",
            got: bins as f64,
        });
    }
    let (first, second) = (expected.numbers(column)?, actual.numbers(column)?);
    let known: Vec<f64> = first.iter().copied().filter(|v| !v.is_nan()).collect();
    let edges = quantile_edges(&known, bins);
    if edges.is_empty() {
        return Err(WorkbenchError::NoValues {
            file: expected.source().to_owned(),
            column: column.to_owned(),
        });
    }
    let (mut before, missing_before) = count_bins(first, &edges);
    let (mut after, missing_after) = count_bins(second, &edges);
    let any_missing = missing_before + missing_after > 0;
    if any_missing {
        before.push(missing_before);
        after.push(missing_after);
    }
    // Both tables have rows, or they would not have been read.
    let psi = psi_of_counts(&edges, &before, &after).ok_or_else(|| WorkbenchError::NoValues {
        file: actual.source().to_owned(),
        column: column.to_owned(),
    })?;
    let cells = (0..before.len())
        .map(|at| {
            let missing = at > edges.len();
            Cell {
                low: if missing {
                    None
                } else {
                    at.checked_sub(1).map(|at| edges[at])
                },
                high: edges.get(at).copied(),
                missing,
                expected_rows: before[at],
                actual_rows: after[at],
                expected: psi.expected[at],
                actual: psi.actual[at],
            }
        })
        .collect();
    let mut notices: Vec<String> = expected.notices().to_vec();
    notices.extend_from_slice(actual.notices());
    if edges.len() + 1 < bins {
        notices.push(format!(
            "{} has so few distinct values that {bins} quantiles make {} bins",
            printable(column),
            edges.len() + 1
        ));
    }
    Ok(StabilityReport {
        expected_file: expected.source().to_owned(),
        actual_file: actual.source().to_owned(),
        column: column.to_owned(),
        psi: psi.value,
        no_shift_bound: psi.no_shift_bound,
        reading: psi.shift().into(),
        cells,
        notices,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[&str]) -> Table {
        let text = format!("x\n{}\n", values.join("\n"));
        Table::from_csv(text.as_bytes(), "t.csv", None).unwrap()
    }

    #[test]
    fn a_shift_is_read_by_the_rule_of_the_domain() {
        for (shift, reading) in [
            (Shift::Pass, Reading::Stable),
            (Shift::Warn, Reading::Moved),
            (Shift::Fail, Reading::MovedFar),
        ] {
            assert_eq!(Reading::from(shift), reading);
        }
        let before: Vec<String> = (0..400).map(|i| (i % 20).to_string()).collect();
        let after: Vec<String> = (0..400).map(|i| (i % 20 + i % 9).to_string()).collect();
        let of = |values: &[String]| table(&values.iter().map(String::as_str).collect::<Vec<_>>());
        let report = stability(&of(&before), &of(&after), "x", 10).unwrap();
        let shift = Shift::of(report.psi, report.no_shift_bound);
        assert_eq!(report.reading, Reading::from(shift));
        assert_ne!(report.reading, Reading::Stable);
    }

    #[test]
    fn the_same_file_twice_has_not_moved_and_missing_values_are_a_cell() {
        let table = table(&["1", "2", "NA", "4", "5", "6"]);
        let report = stability(&table, &table, "x", 4).unwrap();
        assert_eq!(report.psi, 0.0);
        assert_eq!(report.reading, Reading::Stable);
        let last = report.cells.last().unwrap();
        assert!(last.missing && last.expected_rows == 1);
        assert_eq!(report.cells.len(), 5);
        let rows: u64 = report.cells.iter().map(|cell| cell.actual_rows).sum();
        assert_eq!(rows, 6);
    }

    #[test]
    fn cells_are_named_in_few_digits_and_values_of_any_size_have_edges() {
        let before = table(&["0.1", "0.7", "NA", "0.2", "0.4"]);
        let report = stability(&before, &before, "x", 3).unwrap();
        let names: Vec<String> = report
            .named_cells()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["≤ 0.2", "(0.2, 0.4]", "> 0.4", "missing"]);
        let huge = table(&["-1e308", "1e308", "1e307"]);
        let report = stability(&huge, &huge, "x", 4).unwrap();
        assert!(
            report
                .cells
                .iter()
                .filter_map(|cell| cell.high)
                .all(f64::is_finite)
        );
        assert!(report.named_cells().iter().all(|(name, _)| name.len() < 60));
    }

    #[test]
    fn a_small_shift_that_chance_explains_is_no_move() {
        let before = table(&["1", "2", "3", "4", "5", "6"]);
        let after = table(&["1", "2", "2", "4", "6", "6"]);
        let report = stability(&before, &after, "x", 3).unwrap();
        assert!(report.psi < report.no_shift_bound);
        assert_eq!(report.reading, Reading::Stable);
    }

    #[test]
    fn a_column_without_a_value_and_a_single_bin_are_refused() {
        let empty = table(&["NA", "NA"]);
        let full = table(&["1", "2"]);
        assert_eq!(
            stability(&empty, &full, "x", 10).unwrap_err().reason(),
            "NO_VALUES"
        );
        assert_eq!(
            stability(&full, &full, "x", 1).unwrap_err().reason(),
            "BAD_OPTION"
        );
    }
}
