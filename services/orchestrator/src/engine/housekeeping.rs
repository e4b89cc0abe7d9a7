//! What the leader does now and then: it removes what is old and no longer wanted, a little at a time.
//!
//! A pass collects the lake's garbage first and prunes the store after it. So a version is collected a pass after the last
//! row that named it went, and a step that was being resolved from that row meanwhile has long written that it uses it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use kycc_runtime::Clock;

use super::leader::EngineParts;
use super::outside::{Outside, Refusal};
use crate::definitions::Catalogue;
use crate::store::{RunStore, RunStoreError};

/// A process that lives shorter than this leaves everything as it is.
const FIRST: Duration = Duration::from_secs(600);
const EVERY: Duration = Duration::from_secs(24 * 3600);
/// Between two batches, for those who do work.
const PAUSE: Duration = Duration::from_millis(200);
/// Rows of one batch.
const ROWS: u32 = 1_000;
const RUNS: u32 = 20;

const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;

#[derive(Debug)]
pub(super) struct Housekeeping {
    pub(super) store: Arc<dyn RunStore>,
    pub(super) outside: Arc<dyn Outside>,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lease: Duration,
}

/// What a pass removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) versions: u64,
    pub(super) events: u64,
    pub(super) runs: u64,
    pub(super) materializations: u64,
}

impl Housekeeping {
    pub(super) fn of(parts: &EngineParts) -> Self {
        Self {
            store: Arc::clone(&parts.store),
            outside: Arc::clone(&parts.outside),
            catalogue: Arc::clone(&parts.catalogue),
            clock: Arc::clone(&parts.clock),
            lease: parts.lease,
        }
    }

    /// Until it is dropped, with the leader.
    pub(super) async fn keep(self) {
        tokio::time::sleep(FIRST).await;
        loop {
            let mut removed = Removed::default();
            if let Err(refusal) = self.collect(&mut removed).await {
                tracing::warn!(
                    reason = refusal.failure.reason,
                    message = refusal.failure.message,
                    "cannot collect the lake's garbage; tried again in a day"
                );
            }
            if let Err(error) = self.prune(&mut removed).await {
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot remove what is old; tried again in a day");
            }
            if removed != Removed::default() {
                tracing::info!(?removed, "removed what was old");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Versions that nothing refers to and whose writer cannot be at work any more.
    pub(super) async fn collect(&self, removed: &mut Removed) -> Result<(), Refusal> {
        let days = self.catalogue.current().lake.garbage_after_days;
        if days == 0 {
            return Ok(());
        }
        let referenced = self.store.referenced().await;
        let referenced = referenced.map_err(|error| super::resolve::store(&error))?;
        let leases = i64::try_from(self.lease.as_micros())
            .unwrap_or(i64::MAX)
            .saturating_mul(2);
        let grace = (i64::from(days) * DAY_MICROS).max(leases);
        let older_than = self.clock.now_micros().saturating_sub(grace);
        removed.versions += self.outside.collect(&referenced, older_than).await?;
        Ok(())
    }

    /// Events first, then runs that have none left, then what those had made.
    pub(super) async fn prune(&self, removed: &mut Removed) -> Result<(), RunStoreError> {
        let keep = self.catalogue.current().retention;
        let ended_before = |days: u32| {
            let age = i64::from(days) * DAY_MICROS;
            (days > 0).then(|| self.clock.now_micros() - age)
        };
        let (events, runs) = (ended_before(keep.events_days), ended_before(keep.runs_days));
        if let Some(before) = events.max(runs) {
            let old = self.store.count_old(before).await?;
            if old.events > 0 {
                tracing::info!(
                    runs = old.runs,
                    events = old.events,
                    "removing the events of old runs"
                );
            }
            self.prune_events(before, removed).await?;
        }
        if let Some(before) = runs {
            loop {
                let gone = self.store.prune_runs(before, RUNS).await?;
                removed.runs += gone;
                if gone < u64::from(RUNS) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
            loop {
                let gone = self.store.prune_materializations(ROWS).await?;
                removed.materializations += gone;
                if gone < u64::from(ROWS) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    async fn prune_events(&self, before: i64, removed: &mut Removed) -> Result<(), RunStoreError> {
        // Of runs before this one nothing is left.
        let mut done = None;
        let mut since_pause = 0;
        while let Some((run, gone)) = self.store.prune_events(before, done.as_ref(), ROWS).await? {
            removed.events += gone;
            if gone < u64::from(ROWS) {
                done = Some(run);
            }
            since_pause += gone;
            if since_pause >= u64::from(ROWS) {
                since_pause = 0;
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}
