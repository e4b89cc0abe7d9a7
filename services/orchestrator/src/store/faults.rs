//! A run store that fails when told to: before the change was made, or after it, with the caller told that it failed; or
//! altogether, for a while.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use kycc_lake::VersionId;
use kycc_store::StoreError;
use tokio::sync::watch;

use super::{
    Applied, Change, Created, DeadLetter, DeadLetterStore, Epoch, FeedEvent, FeedFilter, LeaderRow,
    LeaderStore, LetterFilter, NewRun, Pruned, Publication, PublicationStore, RetentionStore,
    RunFilter, RunStore, RunStoreError, StoredEvent, StoredMaterialization, StoredRun, VersionOf,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next change goes through.
    None,
    Before,
    After,
}

/// How the store answers, whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Every call fails at once, and did nothing.
    Down,
    /// Calls wait until it is well again, as those of a process that is paused.
    Silent,
}

/// Faults strike changes, in the order in which they were planned; moods strike all.
#[derive(Debug)]
pub(crate) struct FaultyStore<S> {
    inner: S,
    planned: Mutex<VecDeque<Fault>>,
    mood: watch::Sender<Mood>,
}

impl<S> FaultyStore<S> {
    pub(crate) fn new(inner: S, planned: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            inner,
            planned: Mutex::new(planned.into_iter().collect()),
            mood: watch::Sender::new(Mood::Well),
        }
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    async fn answers(&self) -> Result<(), RunStoreError> {
        let mut mood = self.mood.subscribe();
        let mood = mood.wait_for(|mood| *mood != Mood::Silent).await;
        match *mood.unwrap() {
            Mood::Down => Err(down()),
            _ => Ok(()),
        }
    }

    pub(crate) fn left(&self) -> usize {
        self.planned.lock().unwrap().len()
    }

    fn next(&self) -> Fault {
        let mut planned = self.planned.lock().unwrap();
        planned.pop_front().unwrap_or(Fault::None)
    }
}

fn struck() -> RunStoreError {
    RunStoreError::Store {
        operation: "apply changes",
        source: StoreError::Commit {
            source: sqlx::Error::PoolClosed,
        },
    }
}

fn down() -> RunStoreError {
    RunStoreError::Store {
        operation: "reach it",
        source: StoreError::Query {
            operation: "reach it",
            source: sqlx::Error::PoolTimedOut,
        },
    }
}

#[async_trait]
impl<S: RunStore> LeaderStore for FaultyStore<S> {
    async fn leader(&self) -> Result<LeaderRow, RunStoreError> {
        self.answers().await?;
        self.inner.leader().await
    }

    async fn campaign(
        &self,
        seen: &LeaderRow,
        holder: &str,
        address: &str,
    ) -> Result<Option<Epoch>, RunStoreError> {
        self.answers().await?;
        self.inner.campaign(seen, holder, address).await
    }

    async fn renew(&self, epoch: Epoch) -> Result<(), RunStoreError> {
        self.answers().await?;
        self.inner.renew(epoch).await
    }

    async fn give_up(&self, epoch: Epoch) -> Result<(), RunStoreError> {
        self.answers().await?;
        self.inner.give_up(epoch).await
    }
}

#[async_trait]
impl<S: RunStore> DeadLetterStore for FaultyStore<S> {
    async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, RunStoreError> {
        self.answers().await?;
        self.inner.dead_letter(id).await
    }

    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, RunStoreError> {
        self.answers().await?;
        self.inner.dead_letters(filter, before, limit).await
    }
}

#[async_trait]
impl<S: RunStore> RetentionStore for FaultyStore<S> {
    async fn count_old(&self, ended_before: i64) -> Result<Pruned, RunStoreError> {
        self.inner.count_old(ended_before).await
    }

    async fn prune_events(
        &self,
        ended_before: i64,
        after: Option<&RunId>,
        rows: u32,
    ) -> Result<Option<(RunId, u64)>, RunStoreError> {
        self.inner.prune_events(ended_before, after, rows).await
    }

    async fn prune_runs(&self, ended_before: i64, runs: u32) -> Result<u64, RunStoreError> {
        self.inner.prune_runs(ended_before, runs).await
    }

    async fn prune_materializations(&self, rows: u32) -> Result<u64, RunStoreError> {
        self.inner.prune_materializations(rows).await
    }

    async fn referenced(&self) -> Result<HashSet<VersionId>, RunStoreError> {
        self.inner.referenced().await
    }
}

#[async_trait]
impl<S: RunStore> PublicationStore for FaultyStore<S> {
    async fn newest_position(&self) -> Result<u64, RunStoreError> {
        self.answers().await?;
        self.inner.newest_position().await
    }

    async fn publications(
        &self,
        asset: &AssetKey,
        after: u64,
        up_to: u64,
        with_metadata: bool,
        limit: u32,
    ) -> Result<Vec<Publication>, RunStoreError> {
        self.answers().await?;
        self.inner
            .publications(asset, after, up_to, with_metadata, limit)
            .await
    }
}

#[async_trait]
impl<S: RunStore> RunStore for FaultyStore<S> {
    async fn create(&self, epoch: Epoch, new: &[NewRun]) -> Result<Vec<Created>, RunStoreError> {
        self.answers().await?;
        match self.next() {
            Fault::None => self.inner.create(epoch, new).await,
            Fault::Before => Err(down()),
            Fault::After => {
                self.inner.create(epoch, new).await?;
                Err(struck())
            }
        }
    }

    async fn record(&self, epoch: Epoch, deed: &Deed) -> Result<(), RunStoreError> {
        self.answers().await?;
        self.inner.record(epoch, deed).await
    }

    async fn run(&self, run_id: &RunId) -> Result<Option<StoredRun>, RunStoreError> {
        self.answers().await?;
        self.inner.run(run_id).await
    }

    async fn runs(
        &self,
        filter: &RunFilter,
        before: Option<&RunId>,
        limit: u32,
    ) -> Result<Vec<StoredRun>, RunStoreError> {
        self.answers().await?;
        self.inner.runs(filter, before, limit).await
    }

    async fn live_facts(&self) -> Result<Vec<StoredRun>, RunStoreError> {
        self.answers().await?;
        self.inner.live_facts().await
    }

    async fn live_runs(&self) -> Result<Vec<StoredRun>, RunStoreError> {
        self.answers().await?;
        self.inner.live_runs().await
    }

    async fn live_run_ids(&self) -> Result<Vec<RunId>, RunStoreError> {
        self.answers().await?;
        self.inner.live_run_ids().await
    }

    async fn apply(&self, epoch: Epoch, changes: &[Change]) -> Result<Applied, RunStoreError> {
        self.answers().await?;
        match self.next() {
            Fault::None => self.inner.apply(epoch, changes).await,
            Fault::Before => Err(struck()),
            Fault::After => {
                self.inner.apply(epoch, changes).await?;
                Err(struck())
            }
        }
    }

    async fn events(
        &self,
        run_id: &RunId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, RunStoreError> {
        self.answers().await?;
        self.inner.events(run_id, after, limit).await
    }

    async fn feed(
        &self,
        filter: &FeedFilter,
        after: i64,
        limit: u32,
    ) -> Result<Vec<FeedEvent>, RunStoreError> {
        self.answers().await?;
        self.inner.feed(filter, after, limit).await
    }

    async fn last_position(&self) -> Result<i64, RunStoreError> {
        self.answers().await?;
        self.inner.last_position().await
    }

    async fn find_materializations(
        &self,
        wanted: &[VersionOf],
    ) -> Result<Vec<Option<StoredMaterialization>>, RunStoreError> {
        self.answers().await?;
        self.inner.find_materializations(wanted).await
    }

    async fn current(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError> {
        self.answers().await?;
        self.inner.current(asset, batch).await
    }

    async fn materializations(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError> {
        self.answers().await?;
        self.inner
            .materializations(asset, batch, before, limit)
            .await
    }

    async fn definitions(&self, hash: &str) -> Result<Option<String>, RunStoreError> {
        self.answers().await?;
        self.inner.definitions(hash).await
    }
}
