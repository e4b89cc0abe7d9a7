//! The lake itself: which object store it is on, and which of its versions exist.

use crate::error::LakeError;
use crate::manifest::Manifest;
use crate::shard::Shard;
use crate::spec::DatasetSpec;
use crate::version::VersionId;
use crate::writer::VersionWriter;
use crate::{datasets, paths, remote};
use bytes::Bytes;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// A handle; clones share the store.
#[derive(Clone)]
pub struct Lake {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) threads: usize,
    pub(crate) spill: Arc<Path>,
    url: Arc<str>,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lake")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Lake {
    /// Opens `file:///folder` (made where it is missing), `memory:` (gone with the last clone), or `s3://bucket/prefix`,
    /// `gs://bucket/prefix`, `az://container/prefix` with the settings of the environment.
    ///
    /// # Errors
    /// Where URL or settings are wrong. Whether a remote store answers is found out by the first call.
    pub fn open(url: &str) -> Result<Self, LakeError> {
        // What is not Unicode is no setting of a store.
        let settings = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::open_with(url, settings)
    }

    /// The same with settings of one's own, named as in the environment (`AWS_ENDPOINT_URL`, …) and not read from it.
    pub fn open_with(
        url: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, LakeError> {
        let refuse = |problem: String| LakeError::Url {
            url: without_credentials(url),
            problem,
        };
        let parsed = Url::parse(url).map_err(|e| {
            refuse(format!(
                "{e}; write it as file:///folder, memory: or s3://bucket/prefix"
            ))
        })?;
        let mut spill = std::env::temp_dir();
        let store: Arc<dyn ObjectStore> = match parsed.scheme() {
            "memory" => Arc::new(InMemory::new()),
            "file" => {
                let folder = folder_of(&parsed).ok_or_else(|| {
                    refuse("it does not name a folder of this machine; write file:///folder".into())
                })?;
                std::fs::create_dir_all(&folder)
                    .map_err(|e| refuse(format!("its folder cannot be made: {e}")))?;
                spill = folder.join(paths::SPILL);
                let local =
                    LocalFileSystem::new_with_prefix(&folder).map_err(|e| refuse(e.to_string()))?;
                Arc::new(local.with_automatic_cleanup(true))
            }
            _ => remote::open(&parsed, settings).map_err(refuse)?,
        };
        Ok(Self {
            store,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            spill: spill.into(),
            url: url.into(),
        })
    }

    /// How many threads encode and hash; results do not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Where queries put aside what does not fit in memory. Default: `.spill` in a `file:` lake, else the system's
    /// temporary folder.
    #[must_use]
    pub fn with_spill_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spill = folder.into().into();
        self
    }

    /// Puts a layer between the lake and its store: one that counts calls, say, or makes some of them fail.
    #[must_use]
    pub fn with_layer(
        mut self,
        layer: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>,
    ) -> Self {
        self.store = layer(self.store);
        self
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the store answers, and to these credentials: one cheap call, for readiness.
    pub async fn ping(&self) -> Result<(), LakeError> {
        self.get("reach", &paths::nothing()).await.map(drop)
    }

    /// The manifest of a version, or `None` while it does not exist.
    pub async fn manifest(&self, id: &VersionId) -> Result<Option<Manifest>, LakeError> {
        let path = paths::manifest(id);
        let bytes = self.get("read", &path).await?;
        bytes.map(|bytes| read_manifest(id, &bytes)).transpose()
    }

    /// The manifest of a version that must exist.
    pub async fn existing(&self, id: &VersionId) -> Result<Manifest, LakeError> {
        self.manifest(id).await?.ok_or_else(|| LakeError::NotFound {
            path: paths::version(id).to_string(),
        })
    }

    /// Writes one shard (or `Shard::WHOLE`) of a table's version, into the attempt's own folder.
    pub fn writer(
        &self,
        spec: &'static DatasetSpec,
        id: VersionId,
        shard: Shard,
        attempt: Uuid,
    ) -> VersionWriter {
        VersionWriter::new(self.clone(), spec, id, shard, attempt)
    }
}

fn folder_of(url: &Url) -> Option<PathBuf> {
    url.to_file_path().ok().filter(|path| path.is_absolute())
}

/// For messages. A URL should hold none, and is refused if it does.
fn without_credentials(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            let cleared = parsed
                .set_username("***")
                .and_then(|()| parsed.set_password(None));
            cleared.map_or_else(|()| "***".to_owned(), |()| parsed.to_string())
        }
        _ => url.to_owned(),
    }
}

/// What stands at a version's manifest path, held to be what it must be.
pub(crate) fn read_manifest(id: &VersionId, bytes: &Bytes) -> Result<Manifest, LakeError> {
    let path = paths::manifest(id);
    let corrupt = |problem: String| LakeError::Corrupt {
        path: path.to_string(),
        problem,
    };
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| {
        corrupt(format!(
            "the manifest is not what a manifest looks like: {e}"
        ))
    })?;
    if manifest.version() != *id {
        return Err(corrupt(format!(
            "the manifest is that of {}",
            manifest.version()
        )));
    }
    let expected = datasets::dataset(id.dataset.as_str())?.schema_version;
    if manifest.schema_version != expected {
        return Err(LakeError::SchemaVersion {
            path: path.to_string(),
            found: manifest.schema_version,
            expected,
        });
    }
    Ok(manifest)
}
