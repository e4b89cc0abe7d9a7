//! A drift report in sentences: which lines moved, by how much, and where.

use super::baseline::{BAND_LINE, SCORE_LINE};
use super::report::{DriftLine, DriftReport};
use crate::psi::{SHIFT_FAIL, SHIFT_WARN, Shift};

/// More lines than this are counted, not listed.
const MOST_LINES: usize = 5;

pub(super) fn sentences(report: &DriftReport) -> Vec<String> {
    let mut moved: Vec<&DriftLine> = report
        .lines()
        .filter(|line| line.status != Shift::Pass)
        .collect();
    // Stable: equal ones stay in order, the score before the features.
    moved.sort_by(|a, b| {
        (b.status)
            .cmp(&a.status)
            .then_with(|| b.index.total_cmp(&a.index))
    });
    if moved.is_empty() {
        return vec![format!(
            "score, final bands and all {} features are spread as in the baseline of {} parties",
            report.features.len(),
            report.baseline_rows
        )];
    }
    let listed = moved.iter().take(MOST_LINES);
    let mut sentences: Vec<String> = listed.map(|line| of(report, line)).collect();
    let rest = moved.len().saturating_sub(MOST_LINES);
    if rest > 0 {
        let lines = if rest == 1 { "line has" } else { "lines have" };
        sentences.push(format!("{rest} more {lines} moved, each by less"));
    }
    sentences
}

fn of(report: &DriftReport, line: &DriftLine) -> String {
    let kind = if [SCORE_LINE, BAND_LINE].contains(&line.name.as_str()) {
        "PSI"
    } else {
        "CSI"
    };
    let (verb, from, called) = if line.status == Shift::Fail {
        ("has shifted", SHIFT_FAIL, "failure")
    } else {
        ("is shifting", SHIFT_WARN, "warning")
    };
    let mut sentence = format!(
        "{} {verb}: {kind} {:.3}, from {from:.2} a {called}, {:.3} by chance alone",
        line.name, line.index, line.no_shift_bound,
    );
    if let Some(cell) = most_moved(line) {
        sentence.push_str(&format!(
            "; {} were {:.1} %, are {:.1} %",
            where_is(report, line, cell),
            100.0 * line.expected[cell],
            100.0 * line.actual[cell],
        ));
    }
    sentence
}

/// The cell whose share changed the most, the first of equals.
fn most_moved(line: &DriftLine) -> Option<usize> {
    let change = |cell: &usize| (line.actual[*cell] - line.expected[*cell]).abs();
    (0..line.expected.len()).reduce(|best, cell| {
        if change(&cell) > change(&best) {
            cell
        } else {
            best
        }
    })
}

fn where_is(report: &DriftReport, line: &DriftLine, cell: usize) -> String {
    if line.name == BAND_LINE {
        return format!("parties in band {}", report.bands[cell].band);
    }
    let edges = &line.edges;
    if cell > edges.len() {
        return "parties without a value".to_owned();
    }
    match (
        cell.checked_sub(1).map(|below| edges[below]),
        edges.get(cell),
    ) {
        (None, None) => "values".to_owned(),
        (None, Some(high)) => format!("values up to {}", short(*high)),
        (Some(low), None) => format!("values above {}", short(low)),
        (Some(low), Some(high)) => format!("values above {} up to {}", short(low), short(*high)),
    }
}

/// Two decimals, without those that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
