//! A world outside of which tests decide what is there.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use kycc_domain::ids::{BatchId, DatasetName};
use kycc_lake::VersionId;

use crate::core::{Failure, Source, Version};
use crate::engine::{Outside, Refusal};

#[derive(Debug, Default)]
pub(crate) struct FakeOutside {
    /// Digest by source; `1` where nothing is set.
    pub(crate) sources: Mutex<HashMap<String, String>>,
    /// Refusals to come, before anything is observed.
    pub(crate) refusals: Mutex<Vec<Refusal>>,
    /// Keys of versions that the lake has lost.
    pub(crate) lost: Mutex<HashSet<String>>,
    /// What the lake's collector was last told to keep, and how old the rest must be.
    pub(crate) collected: Mutex<Option<(HashSet<VersionId>, i64)>>,
}

impl FakeOutside {
    pub(crate) fn refuse(&self, reason: &str, retryable: bool) {
        self.refusals.lock().unwrap().push(Refusal {
            failure: Failure::new(reason, "not now"),
            retryable,
        });
    }
}

#[async_trait]
impl Outside for FakeOutside {
    async fn observe(
        &self,
        source: &str,
        _batch: &BatchId,
        _config: &str,
        _resources: &str,
    ) -> Result<Source, Refusal> {
        if let Some(refusal) = self.refusals.lock().unwrap().pop() {
            return Err(refusal);
        }
        let digest = self.sources.lock().unwrap().get(source).cloned();
        Ok(Source {
            name: source.to_owned(),
            digest: digest.unwrap_or_else(|| "1".to_owned()),
            document: String::new(),
        })
    }

    async fn exists(&self, version: &Version) -> Result<bool, Refusal> {
        Ok(!self.lost.lock().unwrap().contains(&version.key))
    }

    async fn import(
        &self,
        dataset: &DatasetName,
        batch: &BatchId,
        uri: &str,
    ) -> Result<Version, Refusal> {
        Ok(Version {
            dataset: dataset.clone(),
            batch: batch.clone(),
            key: format!("imported-{}", uri.len()),
            digest: "ff".to_owned(),
            rows: 10,
            bytes: 10,
            files: 1,
        })
    }

    async fn collect(&self, keep: &HashSet<VersionId>, older_than: i64) -> Result<u64, Refusal> {
        *self.collected.lock().unwrap() = Some((keep.clone(), older_than));
        Ok(0)
    }
}
