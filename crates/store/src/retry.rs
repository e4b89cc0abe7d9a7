//! Repeats a transaction that failed for a reason which passes: a deadlock, a lost connection, a server that restarts.

use std::time::Duration;

use crate::{Effect, StoreError};

const TRIES: u32 = 6;
/// Before the second try; doubled each time, half of it by chance so that those who collided do not meet again.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// Which failed writes may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Those of which it is certain that nothing was written.
    NotApplied,
    /// Also those that may stand: the write is idempotent by a key, and finds there what an earlier try of it wrote.
    ByKey,
}

/// An error that may carry one of the store.
pub trait Retryable {
    fn store_error(&self) -> Option<&StoreError>;
}

impl Retryable for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Calls `attempt`, which makes a whole transaction, until it succeeds, fails for good, or has failed six times.
pub async fn retry_transient<T, E, A, F>(repeat: Repeat, mut attempt: A) -> Result<T, E>
where
    E: Retryable,
    A: FnMut() -> F,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some(cause) = error
            .store_error()
            .filter(|cause| may_repeat(cause, repeat))
        else {
            return Err(error);
        };
        tracing::debug!(error = %cause, reason = cause.reason(), "a transaction is repeated");
        tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        pause *= 2;
    }
    attempt().await
}

fn may_repeat(error: &StoreError, repeat: Repeat) -> bool {
    let certain = error.effect() == Effect::NotApplied || repeat == Repeat::ByKey;
    // Who waited in vain for a connection has waited long enough.
    certain && error.is_transient() && !error.is_exhausted()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> StoreError {
        let source = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        StoreError::during("write")(source)
    }

    fn commit_lost() -> StoreError {
        let source = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        StoreError::Commit { source }
    }

    async fn tries(repeat: Repeat, errors: Vec<StoreError>) -> (u32, bool) {
        let mut errors = errors.into_iter();
        let mut tries = 0;
        let outcome = retry_transient(repeat, || {
            tries += 1;
            let next = errors.next();
            async move { next.map_or(Ok(()), Err) }
        })
        .await;
        (tries, outcome.is_ok())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_repeated_until_it_succeeds() {
        let outcome = tries(Repeat::NotApplied, vec![lost(), lost()]).await;
        assert_eq!(outcome, (3, true));
    }

    #[tokio::test(start_paused = true)]
    async fn six_failures_are_enough() {
        let errors = (0..9).map(|_| lost()).collect();
        assert_eq!(tries(Repeat::NotApplied, errors).await, (6, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_of_unknown_effect_is_repeated_only_where_its_key_protects_it() {
        let once = tries(Repeat::NotApplied, vec![commit_lost()]).await;
        assert_eq!(once, (1, false));
        let twice = tries(Repeat::ByKey, vec![commit_lost()]).await;
        assert_eq!(twice, (2, true));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_pass_is_not_repeated() {
        for source in [sqlx::Error::RowNotFound, sqlx::Error::PoolTimedOut] {
            let error = StoreError::during("write")(source);
            assert_eq!(tries(Repeat::ByKey, vec![error]).await, (1, false));
        }
    }
}
