//! Versions that are one JSON document instead of rows.

use crate::digest::{document_digest, hex};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::manifest::{DataFile, Manifest, Published};
use crate::metadata::Metadata;
use crate::spec::{DatasetSpec, Kind};
use crate::version::VersionId;
use crate::{datasets, paths};
use bytes::Bytes;
use kycc_domain::canonical::canonical_json;
use serde_json::Value;
use uuid::Uuid;

impl Lake {
    /// Publishes a document, stored as canonical JSON. Where the version stands already with an equal document, that one
    /// is returned; with another it is an error.
    pub async fn put_document(
        &self,
        spec: &'static DatasetSpec,
        id: &VersionId,
        attempt: Uuid,
        document: &Value,
        metadata: Metadata,
    ) -> Result<Published, LakeError> {
        only_documents(spec, id, "write a document to")?;
        let text = canonical_json(document);
        let hash = hex(blake3::hash(text.as_bytes()));
        let path = paths::document(attempt);
        let bytes = text.len() as u64;
        let manifest = Manifest {
            dataset: id.dataset.clone(),
            batch: id.batch.clone(),
            key: id.key.clone(),
            schema_version: spec.schema_version,
            digest: document_digest(spec, &text),
            rows: 1,
            bytes,
            files: vec![DataFile {
                path: path.clone(),
                rows: 1,
                bytes,
                blake3: hash.clone(),
                min_ordinal: None,
                max_ordinal: None,
                min_party: None,
                max_party: None,
            }],
            metadata,
            attempt,
        };
        self.put_data(&paths::file(id, &path), Bytes::from(text), &hash)
            .await?;
        self.put_manifest(id, manifest)
            .await
            .map(Published::Complete)
    }

    /// Reads a document; its hash is checked, for it is small.
    pub async fn document(&self, id: &VersionId) -> Result<Value, LakeError> {
        only_documents(
            datasets::dataset(id.dataset.as_str())?,
            id,
            "read a document from",
        )?;
        let manifest = self.existing(id).await?;
        let file = manifest.files.first().ok_or_else(|| LakeError::Corrupt {
            path: paths::manifest(id).to_string(),
            problem: "the manifest names no file".into(),
        })?;
        let path = paths::file(id, &file.path);
        let damaged = |problem: String| LakeError::Damaged {
            path: path.to_string(),
            problem,
        };
        let bytes = self
            .get("read", &path)
            .await?
            .ok_or_else(|| damaged("it is missing".into()))?;
        if hex(blake3::hash(&bytes)) != file.blake3 {
            return Err(damaged("its content is not what its manifest says".into()));
        }
        serde_json::from_slice(&bytes).map_err(|e| damaged(format!("it is not JSON: {e}")))
    }
}

fn only_documents(
    spec: &DatasetSpec,
    id: &VersionId,
    operation: &'static str,
) -> Result<(), LakeError> {
    match spec.kind {
        Kind::Document => Ok(()),
        Kind::Table => Err(LakeError::WrongKind {
            operation,
            path: paths::version(id).to_string(),
            is: "table",
        }),
    }
}
