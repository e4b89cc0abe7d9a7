//! The lake itself: which object store it is on, and which of its versions exist.

use crate::error::LakeError;
use crate::manifest::Manifest;
use crate::shard::Shard;
use crate::spec::DatasetSpec;
use crate::version::VersionId;
use crate::writer::VersionWriter;
use crate::{datasets, paths};
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
    /// Opens `file:///folder` (made where it is missing), `memory:` (gone with the last clone), or `s3://`, `gs://`,
    /// `az://` with the settings of the environment.
    pub fn open(url: &str) -> Result<Self, LakeError> {
        let refuse = |problem: String| LakeError::Url {
            url: url.to_owned(),
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
            _ => remote(&parsed).map_err(refuse)?,
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

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The manifest of a version, or `None` while it does not exist.
    pub async fn manifest(&self, id: &VersionId) -> Result<Option<Manifest>, LakeError> {
        let path = paths::manifest(id);
        let Some(bytes) = self.get("read", &path).await? else {
            return Ok(None);
        };
        let corrupt = |problem: String| LakeError::Corrupt {
            path: path.to_string(),
            problem,
        };
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| {
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
        Ok(Some(manifest))
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

fn remote(url: &Url) -> Result<Arc<dyn ObjectStore>, String> {
    let settings = std::env::vars().map(|(key, value)| (key.to_ascii_lowercase(), value));
    let (store, prefix) = object_store::parse_url_opts(url, settings).map_err(|e| e.to_string())?;
    Ok(Arc::new(object_store::prefix::PrefixStore::new(
        store, prefix,
    )))
}
