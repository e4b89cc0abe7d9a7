//! Objects in and out, each call with its operation and path in the error.

use crate::digest::hex;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::store_problem::{self, StoreProblem};
use bytes::Bytes;
use kycc_domain::ids::Digest;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt, PutMode, PutOptions};
use std::time::Duration;

/// Before a write whose outcome is open is tried again.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];

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
            Err(source) if StoreProblem::of(&source) == StoreProblem::Gone => Ok(None),
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
        match self.put_or_standing(path, bytes).await? {
            None => Ok(()),
            Some(standing) if hex(blake3::hash(&standing)) == *hash => Ok(()),
            Some(_) => Err(LakeError::AttemptReused {
                path: path.to_string(),
            }),
        }
    }

    /// Puts an object where none is, and never replaces one: `None`, or what stands there already. To carry it out
    /// twice is harmless: then the first one's object stands.
    pub(crate) async fn put_or_standing(
        &self,
        path: &Path,
        bytes: Bytes,
    ) -> Result<Option<Bytes>, LakeError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let options = PutOptions::from(PutMode::Create);
            let put = self.store.put_opts(path, bytes.clone().into(), options);
            let unsettled = match put.await {
                Ok(_) => return Ok(None),
                Err(error @ (Error::AlreadyExists { .. } | Error::Precondition { .. })) => {
                    if let Some(standing) = self.get("read", path).await? {
                        return Ok(Some(standing));
                    }
                    // Another's write that is not decided yet, or what stood was removed just now.
                    error
                }
                Err(error) if store_problem::interrupted(&error) => error,
                Err(error) => return Err(failed("write", path)(error)),
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(failed("write", path)(unsettled)),
            }
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
        problem: StoreProblem::of(&source),
        source,
    }
}
