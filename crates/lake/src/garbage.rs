//! Which versions are there, and the removal of what nobody refers to.

use crate::error::LakeError;
use crate::files::failed;
use crate::lake::Lake;
use crate::paths;
use crate::version::VersionId;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use kycc_domain::ids::{BatchId, DatasetName};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};
use std::collections::{BTreeMap, HashSet};

/// What a collection removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub versions: u64,
    pub files: u64,
    pub bytes: u64,
}

impl Lake {
    /// The complete versions of a dataset for a batch, by key.
    pub async fn versions(
        &self,
        dataset: &DatasetName,
        batch: &BatchId,
    ) -> Result<Vec<VersionId>, LakeError> {
        let folder = paths::batch(dataset, batch);
        let mut versions: Vec<_> = self
            .objects(Some(&folder))
            .await?
            .iter()
            .filter_map(|object| paths::split(&object.location))
            .filter(|(_, relative)| paths::is_manifest(relative))
            .map(|(id, _)| id)
            .collect();
        versions.sort();
        Ok(versions)
    }

    /// Removes versions that are not in `keep` and were last written before `older_than`, and of kept ones the files of
    /// attempts that lost. Whatever is younger stays: its writer may still be at work.
    pub async fn delete_unreferenced(
        &self,
        keep: &HashSet<VersionId>,
        older_than: DateTime<Utc>,
    ) -> Result<Removed, LakeError> {
        let mut removed = Removed::default();
        let mut versions: BTreeMap<VersionId, Vec<(String, ObjectMeta)>> = BTreeMap::new();
        for object in self.objects(None).await? {
            match paths::split(&object.location) {
                Some((id, relative)) => versions.entry(id).or_default().push((relative, object)),
                None if paths::is_spill(&object.location) && object.last_modified < older_than => {
                    self.remove(&object, &mut removed).await?;
                }
                None => {}
            }
        }
        for (id, objects) in versions {
            if keep.contains(&id) {
                self.delete_lost_attempts(&id, objects, older_than, &mut removed)
                    .await?;
            } else if objects
                .iter()
                .all(|(_, object)| object.last_modified < older_than)
            {
                self.delete_version(objects, &mut removed).await?;
            }
        }
        Ok(removed)
    }

    /// The manifest first, so that no reader finds a version without its files.
    async fn delete_version(
        &self,
        mut objects: Vec<(String, ObjectMeta)>,
        removed: &mut Removed,
    ) -> Result<(), LakeError> {
        objects.sort_by_key(|(relative, _)| !paths::is_manifest(relative));
        for (_, object) in objects {
            self.remove(&object, removed).await?;
        }
        removed.versions += 1;
        Ok(())
    }

    async fn delete_lost_attempts(
        &self,
        id: &VersionId,
        objects: Vec<(String, ObjectMeta)>,
        older_than: DateTime<Utc>,
        removed: &mut Removed,
    ) -> Result<(), LakeError> {
        let Some(manifest) = self.manifest(id).await? else {
            return Ok(());
        };
        let named: HashSet<_> = manifest
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        for (relative, object) in &objects {
            let needed = paths::is_manifest(relative) || named.contains(relative.as_str());
            if !needed && object.last_modified < older_than {
                self.remove(object, removed).await?;
            }
        }
        Ok(())
    }

    async fn remove(&self, object: &ObjectMeta, removed: &mut Removed) -> Result<(), LakeError> {
        match self.store.delete(&object.location).await {
            Ok(()) => {
                removed.files += 1;
                removed.bytes += object.size;
                Ok(())
            }
            Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(failed("delete", &object.location)(source)),
        }
    }

    async fn objects(&self, folder: Option<&Path>) -> Result<Vec<ObjectMeta>, LakeError> {
        let root = Path::default();
        self.store
            .list(folder)
            .try_collect()
            .await
            .map_err(failed("list", folder.unwrap_or(&root)))
    }
}
