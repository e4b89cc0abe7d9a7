//! Where a test's lake lies: on disk, in memory or on the S3 server. Each test has a place of its own, removed after it.

use super::s3::S3Place;
use crate::lake::Lake;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use std::panic::{AssertUnwindSafe, resume_unwind};

pub(crate) struct Place {
    open: Box<dyn Fn() -> Lake + Send + Sync>,
    lake: Lake,
    /// Of this machine, whatever the store: what is spilled goes here.
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = url::Url::from_directory_path(folder.path().join("lake")).unwrap();
        Self::new(folder, move || Lake::open(url.as_str()).unwrap())
    }

    pub(crate) fn memory() -> Self {
        let lake = Lake::open("memory:").unwrap();
        Self::new(tempfile::tempdir().unwrap(), move || lake.clone())
    }

    pub(crate) fn s3() -> Self {
        let S3Place { url, settings } = S3Place::fresh();
        Self::new(tempfile::tempdir().unwrap(), move || {
            Lake::open_with(&url, settings.clone()).unwrap()
        })
    }

    fn new(folder: tempfile::TempDir, open: impl Fn() -> Lake + Send + Sync + 'static) -> Self {
        let spill = folder.path().join("spill");
        let open = Box::new(move || open().with_spill_folder(&spill));
        let lake = open();
        Self { open, lake, folder }
    }

    pub(crate) fn lake(&self) -> Lake {
        self.lake.clone()
    }

    /// As another process would have it: its own client, the same objects.
    pub(crate) fn reopened(&self) -> Lake {
        (self.open)()
    }

    pub(crate) async fn objects(&self) -> Vec<ObjectMeta> {
        let mut all: Vec<_> = self.lake.store.list(None).try_collect().await.unwrap();
        all.sort_by(|a: &ObjectMeta, b: &ObjectMeta| a.location.cmp(&b.location));
        all
    }

    pub(crate) async fn paths(&self) -> Vec<String> {
        let objects = self.objects().await.into_iter();
        objects.map(|object| object.location.to_string()).collect()
    }

    pub(crate) async fn newest(&self) -> DateTime<Utc> {
        let objects = self.objects().await.into_iter();
        objects.map(|object| object.last_modified).max().unwrap()
    }

    /// Past all rules of the lake: replaces what is there.
    pub(crate) async fn overwrite(&self, path: &str, bytes: impl Into<Bytes>) {
        let path = Path::from(path);
        self.lake
            .store
            .put(&path, bytes.into().into())
            .await
            .unwrap();
    }

    pub(crate) async fn bytes(&self, path: &str) -> Bytes {
        self.lake
            .get("read", &Path::from(path))
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) async fn remove(&self, path: &str) {
        self.lake.store.delete(&Path::from(path)).await.unwrap();
    }

    /// Runs a case, and clears the place whatever came of it.
    pub(crate) async fn run(self, case: impl AsyncFnOnce(&Self)) {
        let outcome = AssertUnwindSafe(case(&self)).catch_unwind().await;
        for object in self.objects().await {
            self.lake.store.delete(&object.location).await.unwrap();
        }
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
    }
}

/// One test per case and store: `file::case`, `memory::case`, `s3::case`.
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        $crate::testing::place::on_every_store!(@ file, $($case),+);
        $crate::testing::place::on_every_store!(@ memory, $($case),+);
        $crate::testing::place::on_every_store!(@ s3, $($case),+);
    };
    (@ $store:ident, $($case:ident),+) => {
        mod $store {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::testing::place::Place::$store().run(super::$case).await;
                }
            )+
        }
    };
}
pub(crate) use on_every_store;
