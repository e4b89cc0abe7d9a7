//! `VALUES ($1, $2), ($3, $4)`: the rows of one statement, in the spelling that every database knows. Where it stands in
//! FROM, its columns are called `column1`, `column2`, … on all of them.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// Most rows of one statement: databases bound the number of parameters.
pub(super) const MOST_ROWS: usize = 1_000;

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
    fn placeholders_are_numbered_row_by_row() {
        assert_eq!(rows(1, 1), "($1)");
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
        let filled = statement("INSERT INTO t (a, b) VALUES {}", 1, 2);
        assert_eq!(filled.as_str(), "INSERT INTO t (a, b) VALUES ($1, $2)");
    }
}
