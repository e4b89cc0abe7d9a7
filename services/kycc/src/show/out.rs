//! Standard output, whose reader may leave before we have finished.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints one line. A reader that left (`| head`) wants no more, so the process ends; a full disk is an error.
pub(crate) fn line(text: Arguments<'_>) {
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
