//! Standard output, whose reader may leave before we have finished, and whose text may come from strangers.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints one line, after an empty one if it opens with a line feed.
pub(crate) fn line(text: Arguments<'_>) {
    let text = text.to_string();
    match text.strip_prefix('\n') {
        Some(rest) => print(format_args!("\n{}", escaped(rest))),
        None => print(format_args!("{}", escaped(&text))),
    }
}

/// Prints text of several lines, a table or a page.
pub(crate) fn page(text: &str) {
    let mut lines = text.split('\n').map(escaped);
    let first = lines.next().unwrap_or_default();
    let whole = lines.fold(first, |whole, line| whole + "\n" + &line);
    print(format_args!("{whole}"));
}

/// The text with all that a terminal obeys written out, for names and reasons are data: control characters, line
/// separators, and marks that turn the direction of writing round.
///
/// They are written as in JSON (`\u001b`), so that a line of JSON stays the same value.
pub(crate) fn escaped(text: &str) -> String {
    kycc_workbench::printable(text)
}

/// A reader that left (`| head`) wants no more, so the process ends; a full disk is an error.
fn print(text: Arguments<'_>) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("error: the output cannot be written: {error}");
            std::process::exit(1);
        }
    }
}

/// As `println!`, through [`line`].
macro_rules! outln {
    ($($text:tt)*) => { $crate::show::out::line(format_args!($($text)*)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out_and_nothing_else_is() {
        assert_eq!(escaped("Zoë → 50 %"), "Zoë → 50 %");
        assert_eq!(
            escaped("a\u{1b}[2Jb\nc\td\u{7f}e\u{9b}f"),
            "a\\u001b[2Jb\\u000ac\\u0009d\\u007fe\\u009bf"
        );
    }

    #[test]
    fn marks_of_direction_and_line_separators_are_written_out() {
        for mark in ('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain(['\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'])
        {
            assert_eq!(
                escaped(&format!("a{mark}b")),
                format!("a\\u{:04x}b", u32::from(mark))
            );
        }
    }

    #[test]
    fn json_with_control_characters_stays_the_same_value() {
        let value = serde_json::json!({"id": "a\u{1b}\u{7f}\u{9b}\u{2028}\u{202e}\n"});
        let shown = escaped(&value.to_string());
        assert!(shown.is_ascii(), "{shown}");
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
    }
}
