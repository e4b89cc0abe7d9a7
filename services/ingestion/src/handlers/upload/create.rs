//! `CreateBatch`.

use std::collections::BTreeMap;

use kycc_proto::ingestion::v1::{CreateBatchRequest, CreateBatchResponse};
use kycc_rpc::{ApiError, check_request_id};
use kycc_runtime::store_error;

use super::{Uploads, wire};
use crate::core::upload::{UploadId, UploadState};
use crate::handlers::grpc::batch_id;
use crate::store::{Created, NewUpload};

const MOST_NAME_BYTES: usize = 256;
const MOST_LABELS: usize = 32;
const MOST_KEY_BYTES: usize = 64;
const MOST_VALUE_BYTES: usize = 256;

impl Uploads {
    pub(crate) async fn create(
        &self,
        request: CreateBatchRequest,
        created_by: String,
    ) -> Result<CreateBatchResponse, ApiError> {
        let id = self.clock.new_id().simple().to_string();
        let upload_id = UploadId::new(&id).map_err(|error| ApiError::internal(&error))?;
        let new = checked(request, upload_id.clone(), created_by)?;
        // Before its row: an upload that somebody can see has a folder.
        let folder = upload_id.clone();
        self.on_disk(move |landed| landed.make(&folder)).await?;
        let created = self
            .store
            .create(&new, self.limits.bounds, self.clock.now_micros())
            .await;
        if !matches!(created, Ok(Created::New(_)) | Err(_)) {
            self.on_disk(move |landed| landed.remove(&upload_id))
                .await?;
        }
        let before = matches!(created, Ok(Created::Before(_)));
        let upload = match created.map_err(|error| store_error(&error))? {
            Created::New(upload) | Created::Before(upload) => upload,
            Created::RequestReused(other) => {
                let message = format!(
                    "this request id made upload {other} from another request; use a fresh one"
                );
                return Err(ApiError::precondition("REQUEST_ID_REUSED", message));
            }
            Created::Exists(other) => {
                let batch = new.batch_id;
                let message = format!(
                    "upload {other} of batch {batch} is open; go on with it, or commit or abort it first"
                );
                return Err(ApiError::precondition("UPLOAD_EXISTS", message));
            }
            Created::TooMany => {
                let most = self.limits.bounds.open_uploads;
                let message =
                    format!("{most} uploads are open, as many as may be; commit or abort some");
                return Err(ApiError::exhausted("TOO_MANY_UPLOADS", message));
            }
        };
        if before && upload.state == UploadState::Open {
            // A first call may have died before it got here.
            let folder = upload.upload_id.clone();
            self.on_disk(move |landed| landed.make(&folder)).await?;
        }
        Ok(CreateBatchResponse {
            upload: Some(self.shown(upload).await?),
        })
    }
}

fn checked(
    request: CreateBatchRequest,
    upload_id: UploadId,
    created_by: String,
) -> Result<NewUpload, ApiError> {
    let plain = |field: &str, text: &str, most: usize| {
        if text.len() <= most && !text.contains(char::is_control) {
            return Ok(());
        }
        let wanted = format!("takes at most {most} bytes without control characters");
        Err(ApiError::invalid(field, wanted))
    };
    check_request_id(&request.request_id)?;
    plain("display_name", &request.display_name, MOST_NAME_BYTES)?;
    if request.labels.len() > MOST_LABELS {
        let wanted = format!("takes at most {MOST_LABELS} labels");
        return Err(ApiError::invalid("labels", wanted));
    }
    for (key, value) in &request.labels {
        if key.is_empty() {
            return Err(ApiError::invalid("labels", "must not have an empty key"));
        }
        plain("labels", key, MOST_KEY_BYTES)?;
        plain("labels", value, MOST_VALUE_BYTES)?;
    }
    Ok(NewUpload {
        upload_id,
        batch_id: batch_id(&request.batch_id)?,
        as_of_micros: wire::as_of(request.as_of_time.as_ref())?,
        display_name: request.display_name,
        labels: request.labels.into_iter().collect::<BTreeMap<_, _>>(),
        created_by,
        request_id: request.request_id,
    })
}
