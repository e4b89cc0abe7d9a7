//! How an error is told to a person: what failed, then each cause on a line of its own.

/// Prints `error` with its causes to stderr. Server errors are unpacked: their message, reason and fields.
pub(crate) fn print(error: &anyhow::Error) {
    eprintln!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if text != last {
            eprintln!("  because: {text}");
        }
        last = text;
    }
}
