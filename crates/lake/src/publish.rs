//! Makes versions exist: manifests put in place without replacing one that is there, and composed from shards.

use crate::digest::version_digest;
use crate::error::LakeError;
use crate::files::failed;
use crate::lake::{Lake, read_manifest};
use crate::manifest::{DataFile, Manifest, Published, ShardManifest};
use crate::metadata::{self, Metadata};
use crate::paths;
use crate::shard::Shard;
use crate::spec::DatasetSpec;
use crate::version::VersionId;
use bytes::Bytes;
use futures::TryStreamExt;
use kycc_domain::canonical::canonical_json;
use kycc_domain::ids::Digest;
use serde::Serialize;

impl Lake {
    /// Puts a shard's part in place. A version of one shard is complete at once; of several, when all are there.
    pub(crate) async fn publish_shard(
        &self,
        spec: &DatasetSpec,
        id: &VersionId,
        shard: ShardManifest,
        summarize: impl FnOnce(Metadata) -> Metadata,
    ) -> Result<Published, LakeError> {
        if shard.count > 1 {
            self.put_shard(spec, id, &shard).await?;
        }
        let Some(shards) = self.all_shards(id, shard).await? else {
            // Shards of a complete version are garbage in time; then this one is late, and the version still stands.
            let standing = self.manifest(id).await?;
            return Ok(standing.map_or(Published::Shard, Published::Complete));
        };
        let manifest = compose(spec, id, shards, summarize)?;
        self.put_manifest(id, manifest)
            .await
            .map(Published::Complete)
    }

    /// The manifest that stands: ours, or an earlier one of the same digest.
    pub(crate) async fn put_manifest(
        &self,
        id: &VersionId,
        manifest: Manifest,
    ) -> Result<Manifest, LakeError> {
        let path = paths::manifest(id);
        let Some(standing) = self.put_or_standing(&path, json(&manifest)).await? else {
            return Ok(manifest);
        };
        let standing = read_manifest(id, &standing)?;
        same_digest(&path, &standing.digest, &manifest.digest)?;
        Ok(standing)
    }

    async fn put_shard(
        &self,
        spec: &DatasetSpec,
        id: &VersionId,
        shard: &ShardManifest,
    ) -> Result<(), LakeError> {
        let path = paths::shard(id, shard.shard());
        let Some(standing) = self.put_or_standing(&path, json(shard)).await? else {
            return Ok(());
        };
        let standing = read_shard(id, shard.shard(), &standing)?;
        let digest = |shard: &ShardManifest| version_digest(spec, shard.rows, &shard.blocks);
        same_digest(&path, &digest(&standing), &digest(shard))
    }

    /// All shards in order once they are there. Of an only shard, what it says itself; of several, what stands.
    async fn all_shards(
        &self,
        id: &VersionId,
        own: ShardManifest,
    ) -> Result<Option<Vec<ShardManifest>>, LakeError> {
        let count = own.count;
        if count == 1 {
            return Ok(Some(vec![own]));
        }
        let folder = paths::shards(id);
        let there: Vec<_> = self
            .store
            .list(Some(&folder))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(failed("list", &folder))?;
        let expected: Vec<_> = (0..count).map(|index| Shard { index, count }).collect();
        if !expected
            .iter()
            .all(|shard| there.contains(&paths::shard(id, *shard)))
        {
            return Ok(None);
        }
        let mut shards = Vec::with_capacity(expected.len());
        for shard in expected {
            let path = paths::shard(id, shard);
            let Some(bytes) = self.get("read", &path).await? else {
                return Ok(None);
            };
            shards.push(read_shard(id, shard, &bytes)?);
        }
        Ok(Some(shards))
    }
}

fn read_shard(id: &VersionId, shard: Shard, bytes: &Bytes) -> Result<ShardManifest, LakeError> {
    let path = paths::shard(id, shard);
    let refuse = |problem: String| LakeError::Shards {
        path: path.to_string(),
        problem,
    };
    let found: ShardManifest = serde_json::from_slice(bytes)
        .map_err(|e| refuse(format!("it is not what a shard's manifest looks like: {e}")))?;
    if found.shard() != shard {
        return Err(refuse(format!("it is that of shard {}", found.shard())));
    }
    Ok(found)
}

/// The same from whichever writer: all that goes in are shard manifests, which are never replaced.
fn compose(
    spec: &DatasetSpec,
    id: &VersionId,
    shards: Vec<ShardManifest>,
    summarize: impl FnOnce(Metadata) -> Metadata,
) -> Result<Manifest, LakeError> {
    check_continuous(id, &shards)?;
    let attempt = shards[0].attempt;
    let rows = shards.iter().map(|shard| shard.rows).sum();
    let mut blocks = Vec::new();
    let mut files = Vec::new();
    let mut metadata = Vec::new();
    for shard in shards {
        blocks.extend(shard.blocks);
        files.extend(shard.files);
        metadata.push(shard.metadata);
    }
    Ok(Manifest {
        dataset: id.dataset.clone(),
        batch: id.batch.clone(),
        key: id.key.clone(),
        schema_version: spec.schema_version,
        digest: version_digest(spec, rows, &blocks),
        rows,
        bytes: files.iter().map(|file: &DataFile| file.bytes).sum(),
        files,
        metadata: summarize(metadata::merge(metadata)),
        attempt,
    })
}

/// Ordinals go on where the shard before left off, so that block digests may be put one after the other.
fn check_continuous(id: &VersionId, shards: &[ShardManifest]) -> Result<(), LakeError> {
    if shards.len() < 2 {
        return Ok(());
    }
    let mut next = 0;
    for shard in shards {
        let first = shard.files.first().and_then(|file| file.min_ordinal);
        let last = shard.files.last().and_then(|file| file.max_ordinal);
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        if first != next {
            return Err(LakeError::Shards {
                path: paths::shard(id, shard.shard()).to_string(),
                problem: format!("it starts at ordinal {first} where {next} is next"),
            });
        }
        next = last + 1;
    }
    Ok(())
}

fn same_digest(
    path: &object_store::path::Path,
    standing: &Digest,
    ours: &Digest,
) -> Result<(), LakeError> {
    if standing == ours {
        return Ok(());
    }
    Err(LakeError::Nondeterministic {
        path: path.to_string(),
        standing: standing.clone(),
        ours: ours.clone(),
    })
}

/// Sorted keys, whatever features of the JSON library are on.
fn json<T: Serialize>(content: &T) -> Bytes {
    canonical_json(content).into()
}
