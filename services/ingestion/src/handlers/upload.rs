//! Uploads: a batch that callers send record by record.
//!
//! ```text
//! UploadRecords ──▶ receive ──▶ judge ──▶ part, durable ──▶ store: it stands ──▶ acknowledged
//! CommitBatch   ──▶ sealed ──▶ parts become a folder of the batch ──▶ a run of ingest_job reads it
//! ```
//!
//! Between any two of these steps a process may die: what was acknowledged stands in the store and on disk, and whoever
//! calls again goes on from there, with any process.

pub(crate) mod block;
pub(crate) mod commit;
pub(crate) mod create;
pub(crate) mod housekeeping;
pub(crate) mod lookup;
pub(crate) mod part;
pub(crate) mod stream;
pub(crate) mod typed;
pub(crate) mod wire;

use std::sync::Arc;

use kycc_rpc::ApiError;
use kycc_runtime::{Clock, Spawner, store_error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::launch::Launcher;
use crate::core::upload::{UploadId, UploadState};
use crate::landed::{Landed, LandedError};
use crate::limits::Limits;
use crate::store::{Upload, UploadStore};

#[derive(Clone)]
pub(crate) struct Uploads {
    pub(crate) store: Arc<dyn UploadStore>,
    pub(crate) landed: Landed,
    pub(crate) launcher: Arc<dyn Launcher>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) spawner: Spawner,
    pub(crate) limits: Limits,
    /// Calls that send records.
    pub(crate) places: Arc<Semaphore>,
}

impl Uploads {
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let most = self.limits.calls;
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| ApiError::Overloaded {
                message: format!(
                    "this process serves {most} streams of records already; try again, or another process"
                ),
                retry_after: std::time::Duration::from_secs(1),
            })
    }

    async fn existing(&self, upload_id: &UploadId) -> Result<Upload, ApiError> {
        let found = self.store.get(upload_id).await;
        found
            .map_err(|error| store_error(&error))?
            .ok_or_else(|| not_found(upload_id))
    }

    /// Work on files, off the async threads. It goes on to its end when the caller leaves.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Landed) -> Result<T, LandedError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let landed = self.landed.clone();
        let done = tokio::task::spawn_blocking(move || work(&landed)).await;
        Ok(done.map_err(|error| ApiError::internal(&error))??)
    }
}

fn not_found(upload_id: &UploadId) -> ApiError {
    ApiError::not_found_yet("upload", upload_id.as_str(), "CreateBatch opens one")
}

fn upload_id(text: &str) -> Result<UploadId, ApiError> {
    UploadId::new(text).map_err(|error| ApiError::invalid("upload_id", error.to_string()))
}

fn not_open(upload_id: &UploadId, state: UploadState) -> ApiError {
    let advice = match state {
        UploadState::Open => "try again",
        UploadState::Committing => "call CommitBatch again to launch its run",
        UploadState::Committed | UploadState::Aborted | UploadState::Expired => {
            "CreateBatch opens another"
        }
    };
    let message = format!("upload {upload_id} is {}; {advice}", state.name());
    ApiError::precondition("UPLOAD_NOT_OPEN", message)
}
