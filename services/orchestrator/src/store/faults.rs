//! A run store that fails when told to: before the change was made, or after it, with the caller told that it failed.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use kycc_domain::ids::{AssetKey, BatchId, RunId};
use kycc_store::StoreError;

use super::{
    Change, Created, DeadLetter, DeadLetterStore, LetterFilter, NewRun, RunFilter, RunStore,
    RunStoreError, StoredEvent, StoredMaterialization, StoredRun,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next change goes through.
    None,
    Before,
    After,
}

/// Faults strike changes, in the order in which they were planned; reads always work.
#[derive(Debug)]
pub(crate) struct FaultyStore<S> {
    inner: S,
    planned: Mutex<VecDeque<Fault>>,
}

impl<S> FaultyStore<S> {
    pub(crate) fn new(inner: S, planned: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            inner,
            planned: Mutex::new(planned.into_iter().collect()),
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

#[async_trait]
impl<S: RunStore> DeadLetterStore for FaultyStore<S> {
    async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, RunStoreError> {
        self.inner.dead_letter(id).await
    }

    async fn dead_letters(
        &self,
        filter: &LetterFilter,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, RunStoreError> {
        self.inner.dead_letters(filter, before, limit).await
    }
}

#[async_trait]
impl<S: RunStore> RunStore for FaultyStore<S> {
    async fn create(&self, new: &NewRun) -> Result<Created, RunStoreError> {
        self.inner.create(new).await
    }

    async fn run(&self, run_id: &RunId) -> Result<Option<StoredRun>, RunStoreError> {
        self.inner.run(run_id).await
    }

    async fn runs(
        &self,
        filter: &RunFilter,
        before: Option<&RunId>,
        limit: u32,
    ) -> Result<Vec<StoredRun>, RunStoreError> {
        self.inner.runs(filter, before, limit).await
    }

    async fn live_runs(&self) -> Result<Vec<StoredRun>, RunStoreError> {
        self.inner.live_runs().await
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<u64>, RunStoreError> {
        match self.next() {
            Fault::None => self.inner.apply(changes).await,
            Fault::Before => Err(struck()),
            Fault::After => {
                self.inner.apply(changes).await?;
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
        self.inner.events(run_id, after, limit).await
    }

    async fn find_materialization(
        &self,
        asset: &AssetKey,
        batch: &BatchId,
        key: &str,
    ) -> Result<Option<StoredMaterialization>, RunStoreError> {
        self.inner.find_materialization(asset, batch, key).await
    }

    async fn current(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError> {
        self.inner.current(asset, batch).await
    }

    async fn materializations(
        &self,
        asset: &AssetKey,
        batch: Option<&BatchId>,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<StoredMaterialization>, RunStoreError> {
        self.inner
            .materializations(asset, batch, before, limit)
            .await
    }

    async fn definitions(&self, hash: &str) -> Result<Option<String>, RunStoreError> {
        self.inner.definitions(hash).await
    }
}
