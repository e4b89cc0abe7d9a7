//! Bar charts in text.

const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A bar of `share` (0 to 1) of `width` characters, to an eighth of a character.
pub(crate) fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(EIGHTHS[eighths % 8]);
    }
    out
}

/// Prints one line per row: label, bar in proportion to the largest, count, share of all.
pub(crate) fn print_counts(rows: &[(String, u64)]) {
    let largest = rows
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let total: u64 = rows.iter().map(|(_, count)| count).sum();
    let label_width = rows
        .iter()
        .map(|(label, _)| label.chars().count())
        .max()
        .unwrap_or(0);
    for (label, count) in rows {
        outln!(
            "  {label:<label_width$}  {:<32} {:>8}  {:>5.1} %",
            bar(*count as f64 / largest as f64, 32),
            super::text::count(*count),
            100.0 * *count as f64 / total.max(1) as f64,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn bars_are_exact_to_an_eighth_and_never_longer_than_their_width() {
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(1.0 / 32.0, 4), "▏");
        assert_eq!(bar(2.0, 4), "████");
    }
}
