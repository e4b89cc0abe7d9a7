//! Where things lie in the lake; the only file that knows.
//!
//! ```text
//! <dataset>/<batch>/<key>/manifest.json
//!                         shards/0000-of-0007.json
//!                         attempt-<uuid>/part-0000.parquet | document.json
//! .spill/…                what queries put aside, for as long as they run
//! ```

use crate::shard::Shard;
use crate::version::VersionId;
use kycc_domain::ids::{BatchId, DatasetName};
use object_store::path::Path;
use uuid::Uuid;

pub(crate) const SPILL: &str = ".spill";
const MANIFEST: &str = "manifest.json";
const SHARDS: &str = "shards";
const ATTEMPT: &str = "attempt-";

/// Where never anything lies.
pub(crate) fn nothing() -> Path {
    Path::from(".nothing")
}

/// The folder of a version. `Path` percent-encodes whatever a store could take for more than one segment.
pub(crate) fn version(id: &VersionId) -> Path {
    Path::from_iter([id.dataset.as_str(), id.batch.as_str(), id.key.as_str()])
}

pub(crate) fn batch(dataset: &DatasetName, batch: &BatchId) -> Path {
    Path::from_iter([dataset.as_str(), batch.as_str()])
}

pub(crate) fn manifest(id: &VersionId) -> Path {
    version(id).join(MANIFEST)
}

pub(crate) fn shards(id: &VersionId) -> Path {
    version(id).join(SHARDS)
}

pub(crate) fn shard(id: &VersionId, shard: Shard) -> Path {
    shards(id).join(format!("{shard}.json"))
}

/// The path of a data file within its version's folder, as manifests name it. Shards are told apart, so that one attempt
/// id may serve several of them.
pub(crate) fn part(attempt: Uuid, shard: Shard, index: usize) -> String {
    match shard {
        Shard::WHOLE => format!("{ATTEMPT}{attempt}/part-{index:04}.parquet"),
        Shard { index: of, .. } => format!("{ATTEMPT}{attempt}/part-{of:04}-{index:04}.parquet"),
    }
}

pub(crate) fn document(attempt: Uuid) -> String {
    format!("{ATTEMPT}{attempt}/document.json")
}

/// A file that a manifest names.
pub(crate) fn file(id: &VersionId, relative: &str) -> Path {
    relative.split('/').fold(version(id), Path::join)
}

/// The version that an object belongs to, and its path within the version's folder. `None` for what no lake wrote: a
/// bucket may hold other things too, and they are not ours to list or remove.
pub(crate) fn split(path: &Path) -> Option<(VersionId, String)> {
    let parts: Vec<_> = path.parts().collect();
    let [dataset, batch, key, rest @ ..] = parts.as_slice() else {
        return None;
    };
    let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
    match rest.as_slice() {
        [MANIFEST] | [SHARDS, _] => {}
        [attempt, _] if attempt.starts_with(ATTEMPT) => {}
        _ => return None,
    }
    let id = VersionId {
        dataset: DatasetName::new(dataset.as_ref()).ok()?,
        batch: BatchId::new(batch.as_ref()).ok()?,
        key: key.as_ref().to_owned(),
    };
    Some((id, rest.join("/")))
}

/// Left behind by queries of processes that are gone.
pub(crate) fn is_spill(path: &Path) -> bool {
    path.parts()
        .next()
        .is_some_and(|part| part.as_ref() == SPILL)
}

pub(crate) fn is_manifest(relative: &str) -> bool {
    relative == MANIFEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(batch: &str, key: &str) -> VersionId {
        VersionId {
            dataset: DatasetName::new("scores").unwrap(),
            batch: BatchId::new(batch).unwrap(),
            key: key.into(),
        }
    }

    #[test]
    fn a_path_leads_back_to_its_version() {
        let id = id("2026-11.v2", "00ff");
        assert_eq!(
            manifest(&id).as_ref(),
            "scores/2026-11.v2/00ff/manifest.json"
        );
        let part = part(Uuid::nil(), Shard::WHOLE, 3);
        let (found, relative) = split(&file(&id, &part)).unwrap();
        assert_eq!((found, relative), (id, part));
        let others = [
            ".spill/x/y/z",
            "logs/2026/11/24.gz",
            "scores/B1/k",
            "scores/B1/k/notes.txt",
            "scores/B1/k/attempt-1/part/x",
        ];
        for foreign in others {
            assert!(split(&Path::from(foreign)).is_none(), "{foreign}");
        }
    }

    #[test]
    fn no_key_leaves_its_folder() {
        for key in ["..", "a/b", "../../x", "ключ"] {
            let path = version(&id("B", key));
            assert_eq!(path.parts_count(), 3, "{path}");
            assert!(path.parts().all(|part| part.as_ref() != ".."), "{path}");
        }
    }
}
