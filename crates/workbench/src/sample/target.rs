//! Good or bad, from a column of 0 and 1, true and false, or the words themselves.

use std::collections::BTreeMap;

use crate::error::WorkbenchError;
use crate::table::{Table, Values};

/// Distinct values that an error lists.
const VALUES_LISTED: usize = 8;

/// Whether each row is bad. A missing or other value is an error that lists what the column holds.
pub(crate) fn outcomes(table: &Table, name: &str) -> Result<Vec<bool>, WorkbenchError> {
    let read = flags(table, name, |text| {
        let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match (is(["1", "true", "bad"]), is(["0", "false", "good"])) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    })?;
    read.ok_or_else(|| WorkbenchError::NotBinary {
        file: table.source().to_owned(),
        column: name.to_owned(),
        found: found(table, name),
    })
}

/// A column of yes and no; `None` where it holds anything else. `word` reads values of text.
pub(super) fn flags(
    table: &Table,
    name: &str,
    word: impl Fn(&str) -> Option<bool>,
) -> Result<Option<Vec<bool>>, WorkbenchError> {
    Ok(match &table.column(name)?.values {
        Values::Texts(texts) => (0..texts.rows())
            .map(|row| texts.at(row).and_then(&word))
            .collect(),
        // A type that is not read is refused with its name.
        Values::Numbers(_) | Values::Unread(_) => {
            let numbers = table.complete_numbers(name)?;
            numbers.iter().map(|v| flag(*v)).collect()
        }
    })
}

fn flag(value: f64) -> Option<bool> {
    if value == 1.0 {
        Some(true)
    } else if value == 0.0 {
        Some(false)
    } else {
        None
    }
}

/// The most frequent values with their counts.
pub(super) fn found(table: &Table, name: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in 0..table.rows() {
        let text = match table.column(name).map(|column| &column.values) {
            Ok(Values::Numbers(numbers)) if !numbers[row].is_nan() => numbers[row].to_string(),
            Ok(Values::Texts(texts)) => {
                texts.at(row).map_or("nothing".into(), |t| format!("{t:?}"))
            }
            _ => "nothing".into(),
        };
        *counts.entry(text).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut listed: Vec<String> = counts
        .iter()
        .take(VALUES_LISTED)
        .map(|(value, count)| format!("{value} ({count} rows)"))
        .collect();
    if counts.len() > VALUES_LISTED {
        listed.push(format!("{} other values", counts.len() - VALUES_LISTED));
    }
    listed.join(", ")
}
