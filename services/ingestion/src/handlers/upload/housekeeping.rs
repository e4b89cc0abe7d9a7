//! Removes what nobody comes back for: open uploads that were left, and folders of uploads that were given up.

use std::time::Duration;

use kycc_rpc::ApiError;
use kycc_runtime::{BoxError, store_error};
use tokio_util::sync::CancellationToken;

use super::Uploads;
use crate::core::upload::{UploadId, UploadState};
use crate::store::Change;

const BETWEEN_ROUNDS: Duration = Duration::from_secs(60 * 60);
/// Uploads of one round.
const MOST: usize = 1_000;
/// An upload whose commit was cut short is as open as one without.
const LEFT: [UploadState; 2] = [UploadState::Open, UploadState::Committing];

impl Uploads {
    pub(crate) async fn keep_house(self, stop: CancellationToken) -> Result<(), BoxError> {
        loop {
            if let Err(error) = self.tidy().await {
                tracing::warn!(error = %error, "uploads could not be tidied up; the next round tries again");
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(BETWEEN_ROUNDS) => {}
            }
        }
    }

    /// One round; returns how many uploads have expired. Several processes may do it at the same time.
    pub(crate) async fn tidy(&self) -> Result<usize, ApiError> {
        let keep = i64::try_from(self.limits.keep.as_micros()).unwrap_or(i64::MAX);
        let before = self.clock.now_micros().saturating_sub(keep);
        let left = self.store.untouched(&LEFT, before, MOST).await;
        let mut expired = 0;
        for id in left.map_err(|error| store_error(&error))? {
            expired += usize::from(self.expire(&id, before).await?);
        }
        let folders = self.on_disk(|landed| landed.all()).await?;
        for id in folders {
            let found = self.store.get(&id).await;
            // Of an upload that is not known here, somebody else may know.
            let state = found
                .map_err(|error| store_error(&error))?
                .map(|it| it.state);
            if matches!(state, Some(UploadState::Aborted | UploadState::Expired)) {
                // One that cannot be removed keeps no other.
                if let Err(error) = self.remove(&id).await {
                    tracing::warn!(upload = %id, error = %error, "the folder of an upload cannot be removed");
                }
            }
        }
        Ok(expired)
    }

    async fn expire(&self, id: &UploadId, before_micros: i64) -> Result<bool, ApiError> {
        let upload = self.existing(id).await?;
        if upload.updated_at_micros >= before_micros {
            return Ok(false);
        }
        let change = Change {
            upload_id: id,
            from: &LEFT,
            to: UploadState::Expired,
            // Whoever touches it now keeps it.
            version: Some(upload.version),
            as_of_micros: None,
            run_id: None,
            now_micros: self.clock.now_micros(),
        };
        let expired = self.store.change(change).await;
        let expired = expired.map_err(|error| store_error(&error))?;
        if expired {
            tracing::info!(upload = %id, batch = %upload.batch_id, "an upload that nobody touched has expired");
        }
        Ok(expired)
    }
}
