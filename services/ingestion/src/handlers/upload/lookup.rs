//! `GetUpload` and `ListUploads`.

use kycc_proto::ingestion::v1 as proto;
use kycc_proto::ingestion::v1::{
    GetUploadRequest, GetUploadResponse, ListUploadsRequest, ListUploadsResponse,
};
use kycc_rpc::{ApiError, page_size, position_token, read_position_token};
use kycc_runtime::store_error;

use super::{Uploads, upload_id, wire};
use crate::handlers::grpc::batch_id;
use crate::store::{Upload, Wanted};

const PAGE: (usize, usize) = (50, 1_000);

impl Uploads {
    pub(crate) async fn get(
        &self,
        request: GetUploadRequest,
    ) -> Result<GetUploadResponse, ApiError> {
        let upload = self.existing(&upload_id(&request.upload_id)?).await?;
        Ok(GetUploadResponse {
            upload: Some(self.shown(upload).await?),
        })
    }

    pub(crate) async fn list(
        &self,
        request: ListUploadsRequest,
    ) -> Result<ListUploadsResponse, ApiError> {
        let size = page_size(request.page_size, PAGE.0, PAGE.1)?;
        let batch = match request.batch_id.as_str() {
            "" => None,
            text => Some(batch_id(text)?),
        };
        let state = proto::UploadState::try_from(request.state)
            .map_err(|_| ApiError::invalid("state", "is no state of an upload"))?;
        let wanted = Wanted {
            batch_id: batch,
            state: wire::state(state),
            after: read_position_token(&request.page_token)?,
            // One more tells whether there is a next page.
            limit: size + 1,
        };
        let found = self.store.list(&wanted).await;
        let mut found = found.map_err(|error| store_error(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let next_page_token = match found.last() {
            Some(last) if more => position_token(last.created_at_micros, last.upload_id.as_str()),
            _ => String::new(),
        };
        let mut uploads = Vec::with_capacity(found.len());
        for upload in found {
            let totals = self.store.totals(&upload.upload_id).await;
            let totals = totals.map_err(|error| store_error(&error))?;
            uploads.push(wire::upload(upload, &totals, &[]));
        }
        Ok(ListUploadsResponse {
            uploads,
            next_page_token,
        })
    }

    /// With what is durable of it.
    pub(super) async fn shown(&self, upload: Upload) -> Result<proto::Upload, ApiError> {
        let failed = |error| store_error(&error);
        let totals = self.store.totals(&upload.upload_id).await.map_err(failed)?;
        let streams = self.store.streams(&upload.upload_id).await;
        let streams = streams.map_err(failed)?;
        Ok(wire::upload(upload, &totals, &streams))
    }
}
