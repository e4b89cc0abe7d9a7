//! Advisory locks, which only Postgres has and only Postgres needs: held by a transaction to its end, known by a number.

use super::Tx;
use crate::StoreError;

/// Beyond the time that any migration takes which is not stuck.
const MIGRATION: [&str; 3] = [
    "SET LOCAL lock_timeout = '10min'",
    "SET LOCAL statement_timeout = '10min'",
    "SET LOCAL idle_in_transaction_session_timeout = '10min'",
];

pub(super) async fn hold(tx: &mut Tx, aggregate: &str) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(number(aggregate))
        .execute(&mut **tx)
        .await
        .map_err(StoreError::during("wait for other writers"))?;
    Ok(())
}

pub(super) async fn hold_for_migration(tx: &mut Tx) -> Result<(), StoreError> {
    for bound in MIGRATION {
        sqlx::query(bound)
            .execute(&mut **tx)
            .await
            .map_err(StoreError::during("prepare to migrate"))?;
    }
    hold(tx, "migrations").await
}

/// Other programs may lock in the same database: names are ours, so their hashes hardly meet theirs.
fn number(aggregate: &str) -> i64 {
    let hash = blake3::hash(format!("kycc {aggregate}").as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::number;

    /// Processes of two releases must mean the same lock.
    #[test]
    fn the_number_of_a_name_never_changes() {
        assert_eq!(number("migrations"), -5_850_164_529_807_444_893);
    }
}
