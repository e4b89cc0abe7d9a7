//! `VALUES ($1, $2), ($3, $4)`: the rows of one statement, in the spelling that every database knows. Where it stands in
//! FROM, its columns are called `column1`, `column2`, … on all of them.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// Most rows of one statement: databases bound the number of parameters.
const MOST_ROWS: usize = 1_024;
/// Up to here each number of rows is a statement of its own.
const FEW_ROWS: usize = 16;

/// The rows, cut into as few lists as possible of so few different lengths that each length's statement stays prepared:
/// to a database, another number of rows is another statement, and parsing one of hundreds of rows costs more than running
/// it.
pub(super) fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = match rows.len() {
            0 => return None,
            few @ ..=FEW_ROWS => few,
            many => (1 << many.ilog2()).min(MOST_ROWS),
        };
        let (chunk, left) = rows.split_at(length);
        rows = left;
        Some(chunk)
    })
}

/// The list of placeholders for so many rows.
fn rows(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * (columns * 6 + 4));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        let numbers: RangeInclusive<usize> = row * columns + 1..=(row + 1) * columns;
        for number in numbers.clone() {
            let comma = if number == *numbers.start() { "" } else { ", " };
            let _ = write!(text, "{comma}${number}");
        }
        text.push(')');
    }
    text
}

/// The statement with the list in place of `{}`; made of constants and numbers alone.
pub(super) fn statement(template: &str, count: usize, columns: usize) -> SqlStr {
    AssertSqlSafe(template.replacen("{}", &rows(count, columns), 1)).into_sql_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_lists_of_few_lengths_and_none_is_lost() {
        for (rows, expected) in [
            (0, vec![]),
            (13, vec![13]),
            (17, vec![16, 1]),
            (100, vec![64, 32, 4]),
            (2_500, vec![1_024, 1_024, 256, 128, 64, 4]),
        ] {
            let all: Vec<usize> = (0..rows).collect();
            let lengths: Vec<usize> = chunks(&all).map(<[usize]>::len).collect();
            assert_eq!(lengths, expected);
            let kept: Vec<usize> = chunks(&all).flatten().copied().collect();
            assert_eq!(kept, all);
        }
    }

    #[test]
    fn placeholders_are_numbered_row_by_row() {
        assert_eq!(rows(1, 1), "($1)");
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
        let filled = statement("INSERT INTO t (a, b) VALUES {}", 1, 2);
        assert_eq!(filled.as_str(), "INSERT INTO t (a, b) VALUES ($1, $2)");
    }
}
