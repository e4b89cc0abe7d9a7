//! A term of office: its epoch, and whether it still lasts.
//!
//! Its clock is this process's own and monotonic. A term ends when the store says so, and when it could not be renewed for
//! a lease: by then another may lead.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::{Epoch, RunStore, RunStoreError};

/// Another leads, or may: nothing more is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this process does not lead any more")]
pub(super) struct Deposed;

#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) epoch: Epoch,
    /// None where nobody else can lead: the term lasts as long as the process.
    lease: Option<Duration>,
    /// When the last renewal that succeeded was sent.
    renewed: Arc<Mutex<Instant>>,
    over: CancellationToken,
}

impl Term {
    /// `since`: before the store was asked for the seat.
    pub(super) fn new(epoch: Epoch, lease: Option<Duration>, since: Instant) -> Self {
        Self {
            epoch,
            lease,
            renewed: Arc::new(Mutex::new(since)),
            over: CancellationToken::new(),
        }
    }

    fn last(&self) -> Instant {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction that was begun then has passed the fence.
    pub(super) fn renewed(&self, begun: Instant) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        *renewed = begun.max(*renewed);
    }

    pub(super) fn end(&self) {
        self.over.cancel();
    }

    pub(super) async fn ended(&self) {
        self.over.cancelled().await;
    }

    /// To be asked before anything is moved: a process that was paused does not know it.
    pub(super) fn check(&self) -> Result<(), Deposed> {
        let lapsed = self
            .lease
            .is_some_and(|lease| self.last().elapsed() >= lease);
        if lapsed {
            self.end();
        }
        match self.over.is_cancelled() {
            true => Err(Deposed),
            false => Ok(()),
        }
    }

    /// What takes longer than the term lasts is dropped; it may have happened.
    pub(super) async fn within<T>(&self, call: impl Future<Output = T>) -> Result<T, Deposed> {
        self.check()?;
        tokio::select! {
            () = self.ended() => Err(Deposed),
            answer = call => Ok(answer),
        }
    }

    /// Renews the lease where the leader's transactions do not, until the term is over. Beside the leader's turns: a queue
    /// that does not answer must not cost the leader its seat.
    pub(super) async fn keep(self, store: Arc<dyn RunStore>) {
        let Some(lease) = self.lease else { return };
        let mut due = self.last() + lease / 3;
        loop {
            tokio::time::sleep_until(due).await;
            if self.check().is_err() {
                return;
            }
            let next = self.last() + lease / 3;
            if next > Instant::now() {
                due = next;
                continue;
            }
            due = Instant::now() + lease / 12;
            let begun = Instant::now();
            match tokio::time::timeout_at(self.last() + lease, store.renew(self.epoch)).await {
                Ok(Ok(())) => {
                    self.renewed(begun);
                    due = begun + lease / 3;
                }
                Ok(Err(RunStoreError::Deposed { .. })) => return self.end(),
                Ok(Err(error)) => {
                    tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot renew the leader's lease; trying again");
                }
                Err(_) => {
                    tracing::error!("the state store let the leader's lease pass");
                    return self.end();
                }
            }
        }
    }
}
