//! Who leads: one row that candidates compete for, and that every transaction of the leader touches first.

use std::fmt;
use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::RunStoreError;
use super::rows::bigint;

/// Of a term of office. Grows by one each time that somebody takes over, and never comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(pub(crate) i64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The row, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaderRow {
    pub(crate) epoch: Epoch,
    /// Grows with every transaction of the leader. Nobody compares clocks: a row that stays the same for a lease has a
    /// leader that is silent.
    pub(crate) renewals: i64,
    /// Empty: the last one gave the seat up.
    pub(crate) holder: String,
    /// Where the holder is reached, host:port.
    pub(crate) address: String,
}

/// The seat of the leader. Every implementation passes the conformance suite.
#[async_trait]
pub(crate) trait LeaderStore: fmt::Debug + Send + Sync {
    async fn leader(&self) -> Result<LeaderRow, RunStoreError>;

    /// Takes over from the leader that `seen` tells of; none if the row has changed since. Of several candidates that saw
    /// the same row exactly one wins.
    async fn campaign(
        &self,
        seen: &LeaderRow,
        holder: &str,
        address: &str,
    ) -> Result<Option<Epoch>, RunStoreError>;

    /// Says that the leader lives; [`RunStoreError::Deposed`] if another leads.
    async fn renew(&self, epoch: Epoch) -> Result<(), RunStoreError>;

    /// Leaves the seat empty, so that the next candidate need not wait for the lease. The epoch is over with it.
    async fn give_up(&self, epoch: Epoch) -> Result<(), RunStoreError>;
}

/// Implemented by the connection of every database.
pub(super) trait Fence {
    /// The first statement of each of the leader's transactions: locks the row, so that nobody takes over in the middle,
    /// and renews the lease for free. Gives out positions for up to so many events.
    async fn fence(&mut self, epoch: Epoch, events: usize) -> Result<Positions, RunStoreError>;
}

/// Places in the order of all events, for one transaction: those of a transaction that commits later are greater.
#[derive(Debug)]
pub(super) struct Positions(RangeInclusive<i64>);

impl Positions {
    pub(super) fn next(&mut self) -> Result<i64, RunStoreError> {
        let next = self.0.next();
        next.ok_or_else(|| {
            RunStoreError::corrupt("a transaction with more events than it announced")
        })
    }
}

kycc_store::for_each_driver! {
    impl Fence for driver::Connection {
        async fn fence(&mut self, epoch: Epoch, events: usize) -> Result<Positions, RunStoreError> {
            let events = bigint(events as u64);
            let last: Option<i64> = sqlx::query_scalar("UPDATE orchestrator_leader SET renewals = renewals + 1, \
                    last_position = last_position + $2 \
                WHERE seat = 1 AND epoch = $1 AND holder <> '' RETURNING last_position")
                .bind(epoch.0)
                .bind(events)
                .fetch_optional(&mut *self)
                .await
                .map_err(RunStoreError::sql("renew the leader's lease"))?;
            let last = last.ok_or(RunStoreError::Deposed { epoch })?;
            Ok(Positions(last - events + 1..=last))
        }
    }

    #[async_trait]
    impl LeaderStore for driver::Store {
        async fn leader(&self) -> Result<LeaderRow, RunStoreError> {
            let (epoch, renewals, holder, address): (i64, i64, String, String) = sqlx::query_as(
                "SELECT epoch, renewals, holder, address FROM orchestrator_leader WHERE seat = 1")
                .fetch_one(self.read())
                .await
                .map_err(RunStoreError::sql("read who leads"))?;
            Ok(LeaderRow { epoch: Epoch(epoch), renewals, holder, address })
        }

        async fn campaign(&self, seen: &LeaderRow, holder: &str, address: &str) -> Result<Option<Epoch>, RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("take over"))?;
            let done = sqlx::query("UPDATE orchestrator_leader SET epoch = epoch + 1, renewals = renewals + 1, \
                    holder = $1, address = $2 WHERE seat = 1 AND epoch = $3 AND renewals = $4")
                .bind(holder)
                .bind(address)
                .bind(seen.epoch.0)
                .bind(seen.renewals)
                .execute(&mut *tx)
                .await
                .map_err(RunStoreError::sql("take over"))?;
            tx.commit().await.map_err(RunStoreError::store("take over"))?;
            Ok((done.rows_affected() == 1).then_some(Epoch(seen.epoch.0 + 1)))
        }

        async fn renew(&self, epoch: Epoch) -> Result<(), RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("renew the leader's lease"))?;
            tx.fence(epoch, 0).await?;
            tx.commit().await.map_err(RunStoreError::store("renew the leader's lease"))
        }

        async fn give_up(&self, epoch: Epoch) -> Result<(), RunStoreError> {
            let mut tx = self.begin().await.map_err(RunStoreError::store("give the leader's seat up"))?;
            tx.fence(epoch, 0).await?;
            sqlx::query("UPDATE orchestrator_leader SET holder = '', address = '' WHERE seat = 1 AND epoch = $1")
                .bind(epoch.0)
                .execute(&mut *tx)
                .await
                .map_err(RunStoreError::sql("give the leader's seat up"))?;
            tx.commit().await.map_err(RunStoreError::store("give the leader's seat up"))
        }
    }
}
