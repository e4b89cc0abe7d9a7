//! `CommitBatch` and `AbortBatch`. A commit is three steps that each may be done again: the upload is sealed, its parts
//! become a folder, a run is launched under the upload's own name.

use kycc_proto::ingestion::v1::{
    AbortBatchRequest, AbortBatchResponse, CommitBatchRequest, CommitBatchResponse,
};
use kycc_rpc::{ApiError, Principal};
use kycc_runtime::store_error;
use serde_json::{Map, json};
use tonic::Status;

use super::{Uploads, not_open, upload_id, wire};
use crate::core::table::Table;
use crate::core::upload::{UploadId, UploadState};
use crate::store::{Change, Upload};

impl Uploads {
    pub(crate) async fn commit(
        &self,
        request: CommitBatchRequest,
        by: &Principal,
    ) -> Result<CommitBatchResponse, Status> {
        let id = upload_id(&request.upload_id)?;
        let as_of = wire::as_of(request.as_of_time.as_ref())?;
        let mut upload = self.existing(&id).await?;
        if upload.state == UploadState::Open {
            self.seal(&upload, &request.etag, as_of).await?;
            upload = self.existing(&id).await?;
        }
        let run_id = match (upload.state, &upload.run_id) {
            (UploadState::Committed, Some(run_id)) => run_id.clone(),
            (UploadState::Committing, _) => self.launch(&upload, by).await?,
            (state, _) => return Err(not_open(&id, state).into()),
        };
        let upload = self.existing(&id).await?;
        Ok(CommitBatchResponse {
            run_id,
            upload: Some(self.shown(upload).await?),
        })
    }

    /// From here on nothing is added.
    async fn seal(&self, upload: &Upload, etag: &str, as_of: Option<i64>) -> Result<(), ApiError> {
        let id = &upload.upload_id;
        check_etag(upload, etag)?;
        match (upload.as_of_micros, as_of) {
            (Some(before), Some(now)) if before != now => {
                let told = "is not the one that CreateBatch gave; leave it out";
                return Err(ApiError::invalid("as_of_time", told));
            }
            (None, None) => {
                let message = format!(
                    "nobody said of which instant batch {} is; give as_of_time",
                    upload.batch_id
                );
                return Err(ApiError::precondition("AS_OF_MISSING", message));
            }
            _ => {}
        }
        let totals = self.store.totals(id).await;
        let totals = totals.map_err(|error| store_error(&error))?;
        if !totals.iter().any(|totals| totals.table == Table::Parties) {
            let message = format!("upload {id} has no parties yet; a batch needs some");
            return Err(ApiError::precondition("UPLOAD_EMPTY", message));
        }
        let change = Change {
            upload_id: id,
            from: &[UploadState::Open],
            to: UploadState::Committing,
            version: (!etag.is_empty()).then_some(upload.version),
            as_of_micros: as_of,
            run_id: None,
            now_micros: self.clock.now_micros(),
        };
        let sealed = self.store.change(change).await;
        if !sealed.map_err(|error| store_error(&error))? {
            // Another call came first: with the same intent, or with another.
            let now = self.existing(id).await?;
            check_open_etag(&now, etag)?;
        }
        Ok(())
    }

    async fn launch(&self, upload: &Upload, by: &Principal) -> Result<String, Status> {
        let id = upload.upload_id.clone();
        let as_of = upload.as_of_micros.unwrap_or_default();
        let parts = self.store.parts(&id).await;
        let parts = parts.map_err(|error| store_error(&error))?;
        let batch = upload.batch_id.clone();
        let of = id.clone();
        let folder = self
            .on_disk(move |landed| landed.lay_out(&of, &batch, as_of, &parts))
            .await?;
        let mut config = Map::new();
        config.insert("batch_id".to_owned(), json!(upload.batch_id));
        // Relative to the landing folder, which other processes may see under another path.
        config.insert("source_uri".to_owned(), json!(folder));
        let request_id = format!("upload-{id}");
        let run_id = self
            .launcher
            .ingest(&upload.batch_id, config, request_id, by)
            .await?;
        let change = Change {
            upload_id: &id,
            from: &[UploadState::Committing],
            to: UploadState::Committed,
            version: None,
            as_of_micros: None,
            run_id: Some(&run_id),
            now_micros: self.clock.now_micros(),
        };
        // False where a second commit has done so, with the same run.
        let committed = self.store.change(change).await;
        committed.map_err(|error| store_error(&error))?;
        Ok(run_id)
    }

    pub(crate) async fn abort(
        &self,
        request: AbortBatchRequest,
    ) -> Result<AbortBatchResponse, ApiError> {
        let id = upload_id(&request.upload_id)?;
        let upload = self.existing(&id).await?;
        if upload.state == UploadState::Open {
            check_etag(&upload, &request.etag)?;
            let change = Change {
                upload_id: &id,
                from: &[UploadState::Open],
                to: UploadState::Aborted,
                version: (!request.etag.is_empty()).then_some(upload.version),
                as_of_micros: None,
                run_id: None,
                now_micros: self.clock.now_micros(),
            };
            let aborted = self.store.change(change).await;
            if !aborted.map_err(|error| store_error(&error))? {
                let now = self.existing(&id).await?;
                check_open_etag(&now, &request.etag)?;
            }
        }
        let upload = self.existing(&id).await?;
        if upload.state != UploadState::Aborted {
            return Err(not_open(&id, upload.state));
        }
        self.remove(&id).await?;
        Ok(AbortBatchResponse {
            upload: Some(self.shown(upload).await?),
        })
    }

    pub(super) async fn remove(&self, id: &UploadId) -> Result<(), ApiError> {
        let id = id.clone();
        self.on_disk(move |landed| landed.remove(&id)).await
    }
}

/// An etag says nothing any more once the state has moved on; the state then decides.
fn check_open_etag(upload: &Upload, etag: &str) -> Result<(), ApiError> {
    if upload.state == UploadState::Open {
        return check_etag(upload, etag);
    }
    Ok(())
}

fn check_etag(upload: &Upload, etag: &str) -> Result<(), ApiError> {
    if etag.is_empty() || etag == wire::etag(upload) {
        return Ok(());
    }
    let message = format!(
        "upload {} has changed since; read it again, then decide again",
        upload.upload_id
    );
    Err(ApiError::aborted("UPLOAD_CHANGED", message))
}
