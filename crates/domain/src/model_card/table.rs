//! Markdown tables that align as plain text, and numbers as a person writes them.

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

#[derive(Debug)]
pub(super) struct Table {
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns named `<name` stand left, all others right.
    pub(super) fn new(columns: &[&str]) -> Self {
        let align = columns.iter().map(|name| match name.strip_prefix('<') {
            Some(_) => Align::Left,
            None => Align::Right,
        });
        let names = columns.iter().map(|name| name.trim_start_matches('<'));
        Self {
            align: align.collect(),
            rows: vec![names.map(str::to_owned).collect()],
        }
    }

    /// One cell per column; what is missing is blank.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| one_line(&cell)).collect();
        cells.resize(self.align.len(), String::new());
        self.rows.push(cells);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    pub(super) fn render(&self) -> String {
        let width = |column: usize| {
            let widths = self.rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default().max(3)
        };
        let widths: Vec<usize> = (0..self.align.len()).map(width).collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).zip(&self.align);
            let cells: Vec<String> = padded
                .map(|((cell, width), align)| match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                })
                .collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule: Vec<String> = widths
            .iter()
            .zip(&self.align)
            .map(|(width, align)| match align {
                Align::Left => "-".repeat(*width),
                Align::Right => format!("{}:", "-".repeat(width - 1)),
            })
            .collect();
        let mut out = line(&self.rows[0]);
        out.push_str(&line(&rule));
        self.rows[1..]
            .iter()
            .for_each(|row| out.push_str(&line(row)));
        out
    }
}

/// Name and value, without what is not known.
pub(super) fn facts(rows: Vec<(&str, Option<String>)>) -> String {
    let mut table = Table::new(&["<", "<"]);
    for (name, value) in rows {
        if let Some(value) = value {
            table.row([name.to_owned(), value]);
        }
    }
    table.render()
}

/// What others wrote must not end its line, where a heading could follow, nor its column.
pub(super) fn one_line(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// `12,345`.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let first = digits.len() % 3;
    let mut out = digits[..first].to_owned();
    for start in (first..digits.len()).step_by(3) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(&digits[start..start + 3]);
    }
    out
}

/// `12.3 %` of a share.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Whole numbers as such, others to four digits that say something.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}", count(size as usize));
    }
    match size {
        _ if size >= 1e15 => format!("{value:.3e}"),
        _ if size >= 1000.0 => format!("{value:.0}"),
        _ if size >= 100.0 => format!("{value:.1}"),
        _ if size >= 10.0 => format!("{value:.2}"),
        _ if size >= 1.0 => format!("{value:.3}"),
        _ if size >= 5e-5 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// What is not known.
pub(super) const UNKNOWN: &str = "–";

pub(super) fn or_unknown(text: Option<String>) -> String {
    text.unwrap_or_else(|| UNKNOWN.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_cells_stay_in_theirs() {
        let mut table = Table::new(&["<Factor", "Points"]);
        table.row(["größe".to_owned(), "5".to_owned()]);
        table.row(["a|b\nc".to_owned()]);
        assert_eq!(
            table.render(),
            "| Factor | Points |\n\
             | ------ | -----: |\n\
             | größe  |      5 |\n\
             | a\\|b c |        |\n"
        );
    }

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        for (value, text) in [
            (0.0, "0"),
            (1500.0, "1,500"),
            (-7.0, "-7"),
            (1234567.0, "1,234,567"),
            (673.161208, "673.2"),
            (12.3456, "12.35"),
            (-1.23456, "-1.235"),
            (0.79012, "0.7901"),
            (0.00001234, "1.2e-5"),
            (4321.9, "4322"),
        ] {
            assert_eq!(figure(value), text);
        }
        assert_eq!(count(100), "100");
        assert_eq!(percent(0.1234), "12.3 %");
    }
}
