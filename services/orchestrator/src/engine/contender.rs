//! Competes for the seat of the leader, leads when it has it, and competes again when it has lost it.
//!
//! ```text
//!            row unchanged for a lease, or seat empty
//!   FOLLOWS ──────────────────────────────────────────▶ LEADS ──stop──▶ gives the seat up
//!      ▲                                                  │
//!      └── deposed, or could not renew for a lease: drops all that it remembers ──┘
//! ```

use std::sync::Arc;
use std::time::Duration;

use kycc_runtime::crash_point;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::handle::{EngineHandle, Role};
use super::hub::EventHub;
use super::leader::{Ended, Engine, EngineError, EngineParts};
use super::term::Term;
use crate::store::{Epoch, LeaderRow, RunStoreError};

#[derive(Debug)]
pub(crate) struct Contender {
    parts: EngineParts,
    role: watch::Sender<Role>,
    hub: Arc<EventHub>,
    /// Of this contender alone.
    holder: String,
}

/// Where nobody else competes, an error of the store alone makes it look again.
const ALONE_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// A seat that could not be given up is taken after the lease.
const GIVE_UP: Duration = Duration::from_secs(2);

/// What a candidate has seen of the row, by its own clock.
#[derive(Debug, Default)]
struct Watched(Option<(Epoch, i64, Instant)>);

impl Watched {
    /// Whether this look at the row, begun then, is the second of two that are a lease apart and saw the same. The time of
    /// the first is that of its answer (`now`), so that the row has stood still for the whole time between.
    fn silent(&mut self, row: &LeaderRow, begun: Instant, now: Instant, lease: Duration) -> bool {
        match self.0 {
            Some((epoch, renewals, since)) if (epoch, renewals) == (row.epoch, row.renewals) => {
                begun.saturating_duration_since(since) >= lease
            }
            _ => {
                self.0 = Some((row.epoch, row.renewals, now));
                false
            }
        }
    }
}

impl Contender {
    pub(crate) fn new(parts: EngineParts) -> (EngineHandle, Self) {
        let (role, seen) = watch::channel(Role::Starting);
        let hub = Arc::new(EventHub::default());
        let handle = EngineHandle::new(seen, Arc::clone(&hub));
        let holder = parts.clock.new_id().to_string();
        let contender = Self {
            parts,
            role,
            hub,
            holder,
        };
        (handle, contender)
    }

    /// Until told to stop. The state store may fail for as long as it likes.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), EngineError> {
        let ended = self.compete(stop).await;
        self.hub.stop();
        ended
    }

    async fn compete(&self, stop: CancellationToken) -> Result<(), EngineError> {
        loop {
            let won = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                won = self.win() => won,
            };
            crash_point!("orchestrator.leader_won");
            tracing::info!(epoch = %won.epoch, "this process leads");
            let (engine, inbox) =
                Engine::new(self.parts.clone(), Arc::clone(&self.hub), won.clone());
            self.role.send_replace(Role::Leads(inbox));
            let ended = engine.lead(&stop).await;
            self.role.send_replace(Role::Starting);
            // Watchers ask again, and find who leads now.
            self.hub.close();
            match ended? {
                Ended::Stopped => {
                    self.give_up(won.epoch).await;
                    return Ok(());
                }
                Ended::Deposed => {
                    tracing::warn!(epoch = %won.epoch, "this process does not lead any more; all that it knew of runs is forgotten");
                }
            }
        }
    }

    async fn win(&self) -> Term {
        let mut watched = Watched::default();
        let pause = self
            .parts
            .leader_lease
            .map_or(ALONE_PAUSE, |lease| (lease / 6).min(LONGEST_PAUSE));
        loop {
            match self.look(&mut watched).await {
                Ok(Some(term)) => return term,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot see who leads; looking again");
                }
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn look(&self, watched: &mut Watched) -> Result<Option<Term>, RunStoreError> {
        let begun = Instant::now();
        let row = self.parts.store.leader().await?;
        let free = match self.parts.leader_lease {
            // A folder that is locked has one process: what the row says is of one that is gone.
            None => true,
            // Its own name: it was elected and not told, or has let its lease pass. The epoch changes all the same, so that
            // what is still under way from then is refused.
            Some(_) if row.holder.is_empty() || row.holder == self.holder => true,
            Some(lease) => watched.silent(&row, begun, Instant::now(), lease),
        };
        if free {
            let begun = Instant::now();
            let (store, address) = (&self.parts.store, &self.parts.address);
            if let Some(epoch) = store.campaign(&row, &self.holder, address).await? {
                return Ok(Some(Term::new(epoch, self.parts.leader_lease, begun)));
            }
        } else {
            self.follow(row.address);
        }
        Ok(None)
    }

    fn follow(&self, leader: String) {
        self.role.send_if_modified(|role| {
            let changed = !matches!(role, Role::Follows { leader: known } if *known == leader);
            if changed {
                tracing::info!(leader, "another process leads");
                *role = Role::Follows { leader };
            }
            changed
        });
    }

    async fn give_up(&self, epoch: Epoch) {
        match tokio::time::timeout(GIVE_UP, self.parts.store.give_up(epoch)).await {
            Ok(Ok(())) => crash_point!("orchestrator.leader_gave_up"),
            Ok(Err(error)) => {
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot give the leader's seat up; another takes it after the lease");
            }
            Err(_) => {
                tracing::warn!("the state store did not let the leader give its seat up in time")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_leader_is_silent_when_its_row_stands_still_for_a_lease() {
        let lease = Duration::from_secs(6);
        let row = |renewals| LeaderRow {
            epoch: Epoch(3),
            renewals,
            holder: "a".to_owned(),
            address: String::new(),
        };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watched = Watched::default();
        let mut look =
            |renewals, seconds| watched.silent(&row(renewals), at(seconds), at(seconds), lease);
        assert!(!look(1, 0), "the first look proves nothing");
        assert!(!look(1, 5));
        assert!(!look(2, 7), "it has renewed");
        assert!(!look(2, 12));
        assert!(look(2, 13));
    }
}
