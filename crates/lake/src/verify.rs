//! Reads all of a version and compares it with its manifest: for operators and tests, not for every read.

use crate::digest::{RowsHasher, hex, version_digest};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::manifest::Manifest;
use crate::spec::Kind;
use crate::version::VersionId;
use crate::{datasets, paths};
use futures::TryStreamExt;

impl Lake {
    /// Checks every file's length and hash, and the digest of the rows.
    pub async fn verify(&self, id: &VersionId) -> Result<Manifest, LakeError> {
        let manifest = self.existing(id).await?;
        for file in &manifest.files {
            let path = paths::file(id, &file.path);
            self.check_length(&path, file.bytes).await?;
            let bytes = self.get("read", &path).await?.unwrap_or_default();
            if hex(blake3::hash(&bytes)) != file.blake3 {
                return Err(LakeError::Damaged {
                    path: path.to_string(),
                    problem: "its content is not what its manifest says".into(),
                });
            }
        }
        let spec = datasets::dataset(id.dataset.as_str())?;
        if spec.kind == Kind::Table {
            let mut hasher = RowsHasher::new(self.threads);
            let mut rows = self.scan(id, None, None).await?;
            while let Some(batch) = rows.try_next().await? {
                hasher.push(&batch);
            }
            let (rows, blocks) = hasher.finish();
            let digest = version_digest(spec, rows, &blocks);
            if digest != manifest.digest {
                return Err(LakeError::Corrupt {
                    path: paths::manifest(id).to_string(),
                    problem: format!(
                        "the manifest says digest {}, the rows have {digest}",
                        manifest.digest
                    ),
                });
            }
        }
        Ok(manifest)
    }
}
