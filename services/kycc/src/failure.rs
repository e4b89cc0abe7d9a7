//! How an error is told to a person: what failed, then each cause on a line of its own.

use kycc_rpc::ClientError;

use crate::show::out::escaped;

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
        eprintln!("  because: {}", escaped(&error.root_cause().to_string()));
        return;
    }
    let mut last = error.to_string();
    eprintln!("error: {}", escaped(&last));
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        if text != last {
            eprintln!("  because: {}", escaped(&text));
        }
        last = text;
    }
    let internal = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<ClientError>()
            .is_some_and(|error| error.code() == tonic::Code::Internal)
    };
    if error.chain().any(internal) {
        eprintln!(
            "  a command that is its own fleet logs nothing unless KYCC_LOG says so, e.g. KYCC_LOG=warn"
        );
    }
}
