//! The gRPC service: versions, their differences, their life.

use std::sync::Arc;

use kycc_audit::Entry;
use kycc_proto::scorecards::v1::scorecard_service_server::ScorecardService;
use kycc_proto::scorecards::v1::{
    ActivateVersionRequest, ActivateVersionResponse, ApproveVersionRequest, ApproveVersionResponse,
    CompareVersionsRequest, CompareVersionsResponse, GetImpactRequest, GetImpactResponse,
    GetModelCardRequest, GetModelCardResponse, GetVersionRequest, GetVersionResponse,
    ListVersionsRequest, ListVersionsResponse, ProposeVersionRequest, ProposeVersionResponse,
    RejectVersionRequest, RejectVersionResponse, RollBackVersionRequest, RollBackVersionResponse,
    SetShadowRequest, SetShadowResponse, ValidateCardRequest, ValidateCardResponse,
    WatchActiveVersionRequest,
};
use kycc_rpc::{ApiError, page_size, position_token, principal, read_position_token};
use kycc_runtime::{Changed, Clock, store_error};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::changes::Asked;
use super::watch::Watch;
use super::{answers, by_hand, impact, model_card, watch};
use crate::core::audit::Action;
use crate::core::life::{Approval, Wish};
use crate::core::version::Version;
use crate::store::{LogStore, Target, VersionStore};

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 200;
/// Entries of the log in memory at once.
const PAGE: u32 = 200;
/// Shortest start of a hash that names a version.
const LEAST_HASH: usize = 8;

pub(crate) struct Scorecards {
    pub(crate) store: Arc<dyn VersionStore>,
    pub(crate) audit: Arc<dyn LogStore>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told when the fleet stops.
    pub(crate) stopping: CancellationToken,
    /// Where other modules of this process see that versions have changed.
    pub(crate) changed: Changed,
    /// Whether callers are known by more than the machine that they call from.
    pub(crate) identity_provider: bool,
}

impl Scorecards {
    pub(super) async fn find(&self, name: &str) -> Result<Version, ApiError> {
        let found = match name {
            "" | "active" => self.store.active().await,
            name => self.store.get(named(name)?).await,
        };
        let found = found.map_err(|error| store_error(&error))?;
        found.ok_or_else(|| unknown(name))
    }

    /// The entry of a version's approval: it has one at most.
    async fn approval(&self, version: &str) -> Result<Option<Entry>, ApiError> {
        let mut after = 0;
        loop {
            let page = self.audit.entries(version, after, PAGE).await;
            let page = page.map_err(|error| store_error(&error))?;
            let Some(last) = page.last() else {
                return Ok(None);
            };
            after = last.sequence;
            let approval = Action::Approve.as_str();
            if let Some(found) = page.into_iter().find(|entry| entry.action == approval) {
                return Ok(Some(found));
            }
        }
    }
}

/// A version, or enough of a hash.
fn named(name: &str) -> Result<&str, ApiError> {
    if name.len() >= LEAST_HASH || name.contains('.') {
        Ok(name)
    } else {
        Err(unknown(name))
    }
}

pub(super) fn unknown(name: &str) -> ApiError {
    let advice = if name.len() < LEAST_HASH {
        format!("see `kycc scorecard list` (of a hash, at least {LEAST_HASH} characters)")
    } else {
        "see `kycc scorecard list`".to_owned()
    };
    ApiError::not_found_yet("scorecard version", name, advice)
}

fn target(name: &str) -> Result<Target, ApiError> {
    Ok(Target::Named(named(name)?.to_owned()))
}

fn there<T>(version: Option<T>) -> Result<Option<T>, ApiError> {
    // Whoever names a version is answered with it or with an error.
    version
        .map(Some)
        .ok_or_else(|| ApiError::not_found("scorecard version", ""))
}

#[tonic::async_trait]
impl ScorecardService for Scorecards {
    async fn list_versions(
        &self,
        request: Request<ListVersionsRequest>,
    ) -> Result<Response<ListVersionsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_position_token(&request.page_token)?;
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let found = self.store.list(after, limit).await;
        let mut found = found.map_err(|error| store_error(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| position_token(last.created_at_micros, last.name()));
        let versions = found.iter().map(answers::version);
        Ok(Response::new(ListVersionsResponse {
            versions: versions.collect::<Result<_, _>>()?,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn get_version(
        &self,
        request: Request<GetVersionRequest>,
    ) -> Result<Response<GetVersionResponse>, Status> {
        let found = self.find(&request.into_inner().version).await?;
        Ok(Response::new(GetVersionResponse {
            version: Some(answers::version(&found)?),
        }))
    }

    async fn compare_versions(
        &self,
        request: Request<CompareVersionsRequest>,
    ) -> Result<Response<CompareVersionsResponse>, Status> {
        let request = request.into_inner();
        let base = answers::version(&self.find(&request.base_version).await?)?;
        let other = answers::version(&self.find(&request.other_version).await?)?;
        let changes = answers::changes(&base, &other);
        Ok(Response::new(CompareVersionsResponse {
            base: Some(base),
            other: Some(other),
            changes,
        }))
    }

    async fn validate_card(
        &self,
        request: Request<ValidateCardRequest>,
    ) -> Result<Response<ValidateCardResponse>, Status> {
        let answer = by_hand::validate(&request.into_inner().card_json)?;
        Ok(Response::new(answer))
    }

    async fn propose_version(
        &self,
        request: Request<ProposeVersionRequest>,
    ) -> Result<Response<ProposeVersionResponse>, Status> {
        let author = principal(&request).to_string();
        let version = self.propose(request.into_inner(), author).await?;
        Ok(Response::new(ProposeVersionResponse {
            version: Some(version),
        }))
    }

    type WatchActiveVersionStream = Watch;

    async fn watch_active_version(
        &self,
        request: Request<WatchActiveVersionRequest>,
    ) -> Result<Response<Watch>, Status> {
        let etag = request.into_inner().etag;
        Ok(Response::new(watch::active(
            Arc::clone(&self.store),
            etag,
            self.stopping.clone(),
        )))
    }

    async fn get_impact(
        &self,
        request: Request<GetImpactRequest>,
    ) -> Result<Response<GetImpactResponse>, Status> {
        let found = self.find(&request.into_inner().version).await?;
        let report = found
            .gates
            .as_ref()
            .ok_or_else(|| ApiError::not_found("judgement of scorecard version", found.name()))?;
        Ok(Response::new(impact::answer(&found, &report.impact)))
    }

    async fn get_model_card(
        &self,
        request: Request<GetModelCardRequest>,
    ) -> Result<Response<GetModelCardResponse>, Status> {
        let found = self.find(&request.into_inner().version).await?;
        let card = self.store.model_card(found.name()).await;
        let card = card.map_err(|error| store_error(&error))?;
        let written = card
            .ok_or_else(|| ApiError::not_found("model card of scorecard version", found.name()))?;
        let approval = self.approval(found.name()).await?;
        let card = model_card::served(&written, &found, approval.as_ref())
            .map_err(|error| ApiError::internal(&error))?;
        Ok(Response::new(GetModelCardResponse {
            markdown: card.to_markdown(),
            json: serde_json::to_string(&card).map_err(|error| ApiError::internal(&error))?,
        }))
    }

    async fn approve_version(
        &self,
        request: Request<ApproveVersionRequest>,
    ) -> Result<Response<ApproveVersionResponse>, Status> {
        let principal = principal(&request).to_string();
        let request = request.into_inner();
        let wish = Wish::Approve(Approval {
            gate_notes: request
                .gate_notes
                .into_iter()
                .map(|(gate, note)| (gate, note.trim().to_owned()))
                .collect(),
            allow_self_approval: request.allow_self_approval,
            identity_provider: self.identity_provider,
        });
        let asked = Asked {
            principal,
            reason: request.reason,
            etag: request.etag,
            request_id: request.request_id,
        };
        let version = self.change(target(&request.version)?, wish, asked).await?;
        Ok(Response::new(ApproveVersionResponse {
            version: there(version)?,
        }))
    }

    async fn reject_version(
        &self,
        request: Request<RejectVersionRequest>,
    ) -> Result<Response<RejectVersionResponse>, Status> {
        let principal = principal(&request).to_string();
        let request = request.into_inner();
        let asked = Asked {
            principal,
            reason: request.reason,
            etag: request.etag,
            request_id: request.request_id,
        };
        let version = self
            .change(target(&request.version)?, Wish::Reject, asked)
            .await?;
        Ok(Response::new(RejectVersionResponse {
            version: there(version)?,
        }))
    }

    async fn activate_version(
        &self,
        request: Request<ActivateVersionRequest>,
    ) -> Result<Response<ActivateVersionResponse>, Status> {
        let principal = principal(&request).to_string();
        let request = request.into_inner();
        let asked = Asked {
            principal,
            reason: request.reason,
            etag: request.etag,
            request_id: request.request_id,
        };
        let version = self
            .change(target(&request.version)?, Wish::Activate, asked)
            .await?;
        Ok(Response::new(ActivateVersionResponse {
            version: there(version)?,
        }))
    }

    async fn roll_back_version(
        &self,
        request: Request<RollBackVersionRequest>,
    ) -> Result<Response<RollBackVersionResponse>, Status> {
        let principal = principal(&request).to_string();
        let request = request.into_inner();
        let asked = Asked {
            principal,
            reason: request.reason,
            etag: request.etag,
            request_id: request.request_id,
        };
        let target = match request.version.as_str() {
            "" => Target::Before,
            name => target(name)?,
        };
        let version = self.change(target, Wish::RollBack, asked).await?;
        Ok(Response::new(RollBackVersionResponse {
            version: there(version)?,
        }))
    }

    async fn set_shadow(
        &self,
        request: Request<SetShadowRequest>,
    ) -> Result<Response<SetShadowResponse>, Status> {
        let principal = principal(&request).to_string();
        let request = request.into_inner();
        let asked = Asked {
            principal,
            reason: request.reason,
            etag: request.etag,
            request_id: request.request_id,
        };
        let version = if request.version.is_empty() {
            self.change(Target::Shadowing, Wish::Unshadow, asked)
                .await?;
            None
        } else {
            let target = target(&request.version)?;
            there(self.change(target, Wish::Shadow, asked).await?)?
        };
        Ok(Response::new(SetShadowResponse { version }))
    }
}
