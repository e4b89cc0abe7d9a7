//! Tables for people: no frame, a header line, numbers to the right. On a terminal, and where COLUMNS says how wide one
//! is, texts wrap so that the table fits; numbers never do.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid};

use super::out;

/// A table that is printed once it is whole.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
    columns: usize,
}

impl Table {
    /// A heading that starts with `#` marks a column of numbers.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        grid.set_header(headings.iter().map(|heading| {
            let cell = Cell::new(heading.trim_start_matches('#').to_uppercase());
            cell.set_alignment(alignment(heading))
        }));
        for (index, heading) in headings.iter().enumerate() {
            if let Some(column) = grid.column_mut(index) {
                column.set_cell_alignment(alignment(heading));
                column.set_padding((if index == 0 { 0 } else { 1 }, 1));
                if is_number(heading) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        Self {
            grid,
            columns: headings.len(),
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns, "a row has one cell for every heading");
        self.grid.add_row(cells.map(|cell| out::escaped(&cell)));
    }

    /// Prints the table, or `nothing` where it has no rows.
    pub(crate) fn print(&self, nothing: &str) {
        if self.grid.is_empty() {
            outln!("{nothing}");
        } else {
            out::page(&self.lines(asked_width().as_deref()));
        }
    }

    /// `asked` is a width in characters; without one it is the terminal's, and a file or pipe gets lines of any length.
    fn lines(&self, asked: Option<&str>) -> String {
        let mut grid = self.grid.clone();
        let asked = asked.and_then(|asked| asked.trim().parse::<u16>().ok());
        if let Some(width) = asked.filter(|width| *width > 0) {
            grid.set_width(width);
        }
        grid.trim_fmt()
    }
}

fn asked_width() -> Option<String> {
    std::env::var("COLUMNS").ok()
}

fn is_number(heading: &str) -> bool {
    heading.starts_with('#')
}

fn alignment(heading: &str) -> CellAlignment {
    if is_number(heading) {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["file", "#row", "reason"]);
        table.row([
            "B1_profiles.json".into(),
            "1,234,567".into(),
            "a number was expected where there is a text".into(),
        ]);
        table
    }

    #[test]
    fn texts_wrap_into_the_width_that_is_asked_for_and_numbers_stay_whole() {
        let lines = table().lines(Some("50"));
        assert!(lines.lines().count() > 2, "{lines}");
        assert!(
            lines.lines().all(|line| line.chars().count() <= 50),
            "{lines}"
        );
        assert!(lines.contains("1,234,567"), "{lines}");
    }

    #[test]
    fn control_characters_are_written_out_in_a_cell() {
        let mut table = Table::new(&["id"]);
        table.row(["a\u{1b}[2J\nb".into()]);
        assert_eq!(table.lines(None), "ID\na\\u001b[2J\\u000ab");
    }

    #[test]
    fn a_width_that_is_none_changes_nothing() {
        let wide = table().lines(Some("500"));
        assert_eq!(wide.lines().count(), 2, "{wide}");
        for odd in ["", "wide", "0", "-3"] {
            assert_eq!(table().lines(Some(odd)), table().lines(None), "{odd}");
        }
    }
}
