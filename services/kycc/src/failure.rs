//! How an error is told to a person: what failed, then each cause on a line of its own.

use kycc_rpc::ClientError;

/// Prints `error` with its causes to stderr. Server errors are unpacked: their message, reason and fields.
pub(crate) fn print(error: &anyhow::Error) {
    let unreachable = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<ClientError>()
            .is_some_and(ClientError::is_unreachable)
    };
    if error.chain().any(unreachable) {
        eprintln!(
            "error: no fleet can be reached there; is `kycc dev` running, and --server its gRPC address?"
        );
        eprintln!("  because: {}", error.root_cause());
        return;
    }
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
