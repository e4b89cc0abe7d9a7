//! Tables for people: no frame, a header line, numbers to the right.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table as Grid};

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
            }
        }
        Self {
            grid,
            columns: headings.len(),
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns, "a row has one cell for every heading");
        self.grid.add_row(cells);
    }

    /// Prints the table, or `nothing` where it has no rows.
    pub(crate) fn print(&self, nothing: &str) {
        if self.grid.is_empty() {
            outln!("{nothing}");
        } else {
            outln!("{}", self.grid.trim_fmt());
        }
    }
}

fn alignment(heading: &str) -> CellAlignment {
    if heading.starts_with('#') {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}
