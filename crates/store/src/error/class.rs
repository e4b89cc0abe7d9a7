//! Classes of what the drivers report. Codes of Postgres are SQLSTATEs, those of SQLite its result codes.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

pub(super) fn reason(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::WorkerCrashed => "STORE_UNAVAILABLE",
        sqlx::Error::RowNotFound => "STORE_NO_ROW",
        sqlx::Error::Database(error) if error.kind() == ErrorKind::UniqueViolation => {
            "STORE_DUPLICATE"
        }
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => of_sqlstate(error.code()),
            None => of_sqlite(error.as_ref()),
        },
        _ => "STORE_QUERY",
    }
}

fn of_sqlstate(code: &str) -> &'static str {
    match code {
        // Serialization failure, deadlock: this one was chosen to give way.
        "40001" | "40P01" => "STORE_CONFLICT",
        "55P03" => "STORE_BUSY",
        // The statement took longer than the server or the store allows.
        "57014" => "STORE_TIMEOUT",
        // Shut down, crashed, starting up, too many connections; an idle session that the server ended.
        "57P01" | "57P02" | "57P03" | "53300" | "25P03" | "57P05" => "STORE_UNAVAILABLE",
        // A NUL character, which SQLite keeps.
        "22021" => "STORE_TEXT",
        code if code.starts_with("08") => "STORE_UNAVAILABLE",
        _ => "STORE_QUERY",
    }
}

/// SQLITE_BUSY and SQLITE_LOCKED with their extended codes in the higher bits.
fn of_sqlite(error: &dyn DatabaseError) -> &'static str {
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => "STORE_BUSY",
        _ => "STORE_QUERY",
    }
}

/// Whether the server answered a commit by saying why it did not make it: a conflict, or a constraint that is checked at
/// the end. Whoever lost the connection meanwhile, or was shut down, was told nothing.
pub(super) fn refused(commit: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = commit else {
        return false;
    };
    error
        .try_downcast_ref::<PgDatabaseError>()
        .is_some_and(|error| error.code().starts_with("40") || error.code().starts_with("23"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for (code, reason) in [
            ("40001", "STORE_CONFLICT"),
            ("40P01", "STORE_CONFLICT"),
            ("55P03", "STORE_BUSY"),
            ("57014", "STORE_TIMEOUT"),
            ("57P01", "STORE_UNAVAILABLE"),
            ("08006", "STORE_UNAVAILABLE"),
            ("42601", "STORE_QUERY"),
            ("22021", "STORE_TEXT"),
        ] {
            assert_eq!(of_sqlstate(code), reason, "{code}");
        }
    }
}
