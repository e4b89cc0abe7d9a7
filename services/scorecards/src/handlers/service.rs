//! The gRPC service: versions, their differences, and which one decides.

use std::sync::Arc;

use kycc_proto::scorecards::v1::scorecard_service_server::ScorecardService;
use kycc_proto::scorecards::v1::{
    ActivateVersionRequest, ActivateVersionResponse, CompareVersionsRequest,
    CompareVersionsResponse, GetVersionRequest, GetVersionResponse, ListVersionsRequest,
    ListVersionsResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, principal, read_page_token};
use kycc_runtime::Clock;
use tonic::{Request, Response, Status};

use super::answers;
use crate::core::activation::{Approval, Refusal, check};
use crate::core::version::{self, Version};
use crate::store::{Activation, VersionStore};

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 200;
/// Shortest start of a hash that names a version.
const LEAST_HASH: usize = 8;

pub(crate) struct Scorecards {
    pub(crate) store: Arc<dyn VersionStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Scorecards {
    async fn find(&self, field: &str, name: &str) -> Result<Version, ApiError> {
        let found = match name {
            "" | "active" => self.store.active().await,
            name if name.len() >= LEAST_HASH || name.contains('.') => self.store.get(name).await,
            _ => {
                let wanted =
                    format!("takes a version, or at least {LEAST_HASH} characters of a hash");
                return Err(ApiError::invalid(field, wanted));
            }
        };
        let found = found.map_err(|error| ApiError::internal(&error))?;
        found.ok_or_else(|| ApiError::not_found("scorecard version", name))
    }
}

#[tonic::async_trait]
impl ScorecardService for Scorecards {
    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_page_token(&request.page_token)?
            .map(|cursor| position(&cursor))
            .transpose()?;
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let mut found = self
            .store
            .list(after, limit)
            .await
            .map_err(|error| ApiError::internal(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| {
            page_token(&format!(
                "{} {}",
                last.created_at_micros,
                last.card.version()
            ))
        });
        let versions = found
            .iter()
            .map(answers::version)
            .collect::<Result<_, _>>()?;
        Ok(Response::new(ListVersionsResponse {
            versions,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn get_version(
        &self,
        request: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        let found = self.find("version", &request.into_inner().version).await?;
        Ok(Response::new(GetVersionResponse {
            version: Some(answers::version(&found)?),
        }))
    }

    async fn compare_versions(
        &self,
        request: Request<CompareVersionsRequest>,
    ) -> Result<Response<CompareVersionsResponse>, Status> {
        let request = request.into_inner();
        let base = answers::version(&self.find("base_version", &request.base_version).await?)?;
        let other = answers::version(&self.find("other_version", &request.other_version).await?)?;
        let changes = answers::changes(&base, &other);
        Ok(Response::new(CompareVersionsResponse {
            base: Some(base),
            other: Some(other),
            changes,
        }))
    }

    async fn activate_version(
        &self,
        request: Request<ActivateVersionRequest>,
    ) -> Result<Response<ActivateVersionResponse>, Status> {
        let approver = principal(&request).to_string();
        let request = request.into_inner();
        if request.version.is_empty() {
            return Err(ApiError::invalid("version", "must name the version to activate").into());
        }
        let found = self.find("version", &request.version).await?;
        // Asking again for what is so already changes nothing, whatever the request's id.
        if found.status != version::Status::Active {
            let approval = Approval {
                principal: &approver,
                reason: &request.reason,
                allow_self_approval: request.allow_self_approval,
            };
            let self_approved = check(&found, approval).map_err(refused)?;
            let activation = Activation {
                version: found.card.version(),
                approver: &approver,
                note: &request.reason,
                self_approved,
                at_micros: self.clock.now_micros(),
            };
            self.store
                .activate(activation)
                .await
                .map_err(|error| ApiError::internal(&error))?;
        }
        let now = self.find("version", found.card.version()).await?;
        Ok(Response::new(ActivateVersionResponse {
            version: Some(answers::version(&now)?),
        }))
    }
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NoReason { .. } => ApiError::invalid("reason", refusal.to_string()),
        Refusal::OwnWork { .. } => ApiError::PermissionDenied {
            message: refusal.to_string(),
        },
        _ => ApiError::precondition(refusal.reason(), refusal.to_string()),
    }
}

fn position(cursor: &str) -> Result<(i64, String), ApiError> {
    let parsed = cursor
        .split_once(' ')
        .and_then(|(at, name)| Some((at.parse().ok()?, name.to_owned())));
    parsed.ok_or_else(|| ApiError::invalid("page_token", "is not a token of this list"))
}
