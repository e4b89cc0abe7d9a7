//! Names and values of a file as text that is safe to print.

use std::fmt::Write;

/// The greatest number of names that a sentence lists.
const NAMES_LISTED: usize = 10;

/// The text with control characters, line separators and marks of writing direction written out, as JSON writes them: a
/// terminal obeys them.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first ten names, and how many more there are.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(NAMES_LISTED).map(printable).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_everything_else_is_not() {
        assert_eq!(printable("a\u{1b}[31mb\r\n"), "a\\u001b[31mb\\u000d\\u000a");
        assert_eq!(printable("x\u{9b}\u{202e}y"), "x\\u009b\\u202ey");
        assert_eq!(printable("Größe ≥ 3 \"год\""), "Größe ≥ 3 \"год\"");
    }

    #[test]
    fn ten_names_are_listed_and_the_rest_counted() {
        let names: Vec<String> = (0..13).map(|i| format!("f{i}")).collect();
        let all = |n: usize| listed(names.iter().take(n).map(String::as_str));
        assert_eq!(all(2), "f0, f1");
        assert!(all(10).ends_with("f9"));
        assert!(all(13).ends_with("f9 and 3 more"), "{}", all(13));
    }
}
