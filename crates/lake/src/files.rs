//! Objects in and out, each call with its operation and path in the error.

use crate::digest::hex;
use crate::error::LakeError;
use crate::lake::Lake;
use bytes::Bytes;
use kycc_domain::ids::Digest;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutMode, PutOptions};

impl Lake {
    /// The object's bytes, or `None` where there is none.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        path: &Path,
    ) -> Result<Option<Bytes>, LakeError> {
        let read = async { self.store.get(path).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(operation, path)(source)),
        }
    }

    /// Writes a data file. An attempt that is carried out twice finds its own file again; it never overwrites one, for a
    /// manifest may name it.
    pub(crate) async fn put_data(
        &self,
        path: &Path,
        bytes: Bytes,
        hash: &Digest,
    ) -> Result<(), LakeError> {
        if self.put_if_absent(path, bytes).await? {
            return Ok(());
        }
        match self.get("read", path).await? {
            Some(standing) if hex(blake3::hash(&standing)) == *hash => Ok(()),
            _ => Err(LakeError::AttemptReused {
                path: path.to_string(),
            }),
        }
    }

    /// False where an object stands there already; it is left as it is.
    pub(crate) async fn put_if_absent(&self, path: &Path, bytes: Bytes) -> Result<bool, LakeError> {
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(path, bytes.into(), options).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(false),
            Err(source) => Err(failed("write", path)(source)),
        }
    }

    /// Holds that the data file is there in full length; the cheap check before any read.
    pub(crate) async fn check_length(&self, path: &Path, bytes: u64) -> Result<(), LakeError> {
        let problem = match self.store.head(path).await {
            Ok(meta) if meta.size == bytes => return Ok(()),
            Ok(meta) => format!("it has {} bytes, its manifest says {bytes}", meta.size),
            Err(Error::NotFound { .. }) => "it is missing".to_owned(),
            Err(source) => return Err(failed("look at", path)(source)),
        };
        Err(LakeError::Damaged {
            path: path.to_string(),
            problem,
        })
    }
}

/// For `map_err`: what was being done, to which object.
pub(crate) fn failed(operation: &'static str, path: &Path) -> impl FnOnce(Error) -> LakeError {
    let path = path.to_string();
    move |source| LakeError::Store {
        operation,
        path,
        source,
    }
}
