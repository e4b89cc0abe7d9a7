//! Standard output, whose reader may leave before we have finished, and whose text may come from strangers.

use std::borrow::Cow;
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
    let first = lines.next().unwrap_or_default().into_owned();
    let whole = lines.fold(first, |whole, line| whole + "\n" + &line);
    print(format_args!("{whole}"));
}

/// The text with its control characters written out, for a terminal obeys them: names and reasons are data.
///
/// They are written as in JSON (`\u001b`), so that a line of JSON stays the same value.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if char.is_control() {
            out.push_str(&format!("\\u{:04x}", u32::from(char)));
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
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
    fn json_with_control_characters_stays_the_same_value() {
        let value = serde_json::json!({"id": "a\u{1b}\u{7f}\u{9b}\n"});
        let shown = escaped(&value.to_string()).into_owned();
        assert!(!shown.contains(char::is_control), "{shown}");
        let back: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(back, value);
    }
}
