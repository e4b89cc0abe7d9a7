//! What the orchestrator remembers: runs with their steps, tasks and attempts, their event logs, and what they made.
//!
//! The store is the truth; memory and queue are copies of it. A run's state, its events, and the materializations that
//! follow from them change in one transaction.

mod apply;
mod dead_letters;
mod error;
mod leader;
mod publications;
mod read;
mod retention;
mod rows;
mod sql;
mod types;
mod values;
mod write;

#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod faults;

use async_trait::async_trait;
use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use kycc_store::Migration;

pub(crate) use dead_letters::{DeadLetter, DeadLetterStore, LetterFilter};
pub(crate) use error::RunStoreError;
pub(crate) use leader::{Epoch, LeaderRow, LeaderStore};
pub(crate) use publications::{Publication, PublicationStore};
#[cfg(test)]
pub(crate) use retention::Pruned;
pub(crate) use retention::RetentionStore;
pub(crate) use types::{
    Applied, AttemptEnd, Change, Created, FeedEvent, FeedFilter, Logged, Move, NewMaterialization,
    NewRun, RunFacts, RunFilter, StoredEvent, StoredMaterialization, StoredRun, Times, VersionOf,
};

/// Whose chain of the audit log the leader appends to.
pub(crate) const SERVICE: &str = "orchestrator";

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "runs",
        sql: include_str!("store/001_runs.sql"),
    },
    Migration {
        version: 2,
        name: "leader",
        sql: include_str!("store/002_leader.sql"),
    },
    Migration {
        version: 3,
        name: "dead letters",
        sql: include_str!("store/003_dead_letters.sql"),
    },
    Migration {
        version: 4,
        name: "feed and lineage",
        sql: include_str!("store/004_feed.sql"),
    },
    Migration {
        version: 5,
        name: "publications",
        sql: include_str!("store/005_publications.sql"),
    },
];

/// Runs and what they made. Every implementation passes the conformance suite.
///
/// What changes runs names the epoch of the leader that does it; [`RunStoreError::Deposed`] if that is over, and nothing is
/// written.
#[async_trait]
pub(crate) trait RunStore:
    LeaderStore + DeadLetterStore + RetentionStore + PublicationStore
{
    /// Writes runs and the definitions that they pin, all or none. A request id that was used before writes nothing; each
    /// run is answered for in its place.
    async fn create(&self, epoch: Epoch, new: &[NewRun]) -> Result<Vec<Created>, RunStoreError>;

    /// Puts into the audit log what was done to nothing that is stored here.
    async fn record(&self, epoch: Epoch, deed: &Deed) -> Result<(), RunStoreError>;

    async fn run(&self, run_id: &RunId) -> Result<Option<StoredRun>, RunStoreError>;

    /// Newest first, after `before` in that order.
    async fn runs(
        &self,
        filter: &RunFilter,
        before: Option<&RunId>,
        limit: u32,
    ) -> Result<Vec<StoredRun>, RunStoreError>;

    /// Every run that has not ended, oldest first.
    async fn live_runs(&self) -> Result<Vec<StoredRun>, RunStoreError>;

    /// The same without their steps: two questions fewer for each.
    async fn live_facts(&self) -> Result<Vec<StoredRun>, RunStoreError>;

    /// Which runs have not ended: much cheaper than reading them.
    async fn live_run_ids(&self) -> Result<Vec<RunId>, RunStoreError>;

    /// All of the changes or none, at most one of each run.
    ///
    /// A run that is not in the state that a change starts from is [`RunStoreError::Stale`]: somebody else moved it.
    async fn apply(&self, epoch: Epoch, changes: &[Change]) -> Result<Applied, RunStoreError>;

    /// In order, after the given number.
    async fn events(
        &self,
        run_id: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, RunStoreError>;

    /// Events of all runs in the order in which they were written, after the given position. Nothing will ever come before
    /// what was told.
    async fn feed(
        &self,
        filter: &FeedFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FeedEvent>, RunStoreError>;

    /// Of the last event in that order.
    async fn last_position(&self) -> Result<i64, RunStoreError>;

    /// For each that is wanted the newest materialization, in its place.
    async fn find_materializations(
        &self,
        wanted: &[VersionOf],
    ) -> Result<Vec<Option<StoredMaterialization>>, RunStoreError>;

    /// The current materialization of the batch, or of every batch, newest first.
    async fn current(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError>;

    /// Newest first, after `before` in that order.
    async fn materializations(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError>;

    /// The document of the definitions with this hash.
    async fn definitions(&self, hash: &str) -> Result<Option<String>, RunStoreError>;
}
