//! Changes that people ask for: from the wire to the store, and refusals back.

use kycc_rpc::{ApiError, check_request_id};
use kycc_runtime::store_error;

use super::answers;
use super::service::{Scorecards, unknown};
use crate::core::life::{Refusal, Request, Wish};
use crate::core::rule_sets::RuleRefusal;
use crate::store::{ChangeError, Target};
use kycc_proto::scorecards::v1::ScorecardVersion;

/// What every change carries.
pub(super) struct Asked {
    pub(super) principal: String,
    pub(super) reason: String,
    pub(super) etag: String,
    pub(super) request_id: String,
}

impl Scorecards {
    /// The version as it stands afterwards; `None` where none was meant.
    pub(super) async fn change(
        &self,
        target: Target,
        wish: Wish,
        asked: Asked,
    ) -> Result<Option<ScorecardVersion>, ApiError> {
        check_request_id(&asked.request_id)?;
        let request = Request {
            wish,
            principal: asked.principal,
            reason: asked.reason.trim().to_owned(),
            etag: asked.etag,
            request_id: asked.request_id,
            trace_id: kycc_telemetry::current_trace_id(),
            at_micros: self.clock.now_micros(),
        };
        let under_way = self.changed.under_way();
        let changed = self.store.change(&target, &request).await;
        // Also after an error: the change may have been made.
        self.changed.raise();
        drop(under_way);
        let changed = changed.map_err(|error| failed(&error))?;
        changed.as_ref().map(answers::version).transpose()
    }
}

pub(super) fn failed(error: &ChangeError) -> ApiError {
    match error {
        ChangeError::RulesNotFound { version } => {
            ApiError::not_found("rule set", version.to_string())
        }
        ChangeError::RulesRefused(refusal) => rules_refused(refusal),
        ChangeError::NotFound { name } => unknown(name),
        ChangeError::Unaccounted { .. } => {
            ApiError::precondition("AUDIT_LOG_BROKEN", error.to_string())
        }
        ChangeError::Overtaken => ApiError::aborted(
            "CHANGED_MEANWHILE",
            "the versions were changed at the same moment; look again, then decide again",
        ),
        ChangeError::Store(error) => store_error(error),
        ChangeError::Refused(refusal) => refused(refusal),
    }
}

fn rules_refused(refusal: &RuleRefusal) -> ApiError {
    let text = refusal.to_string();
    match refusal {
        RuleRefusal::NoReason => ApiError::invalid("reason", text),
        RuleRefusal::RequestReused { .. } => ApiError::invalid("request_id", text),
        RuleRefusal::OwnWork { .. } | RuleRefusal::OwnWorkHere { .. } => {
            ApiError::PermissionDenied { message: text }
        }
        RuleRefusal::NotDraft { .. } | RuleRefusal::NotApproved { .. } => {
            ApiError::precondition(refusal.reason(), text)
        }
    }
}

fn refused(refusal: &Refusal) -> ApiError {
    let text = refusal.to_string();
    match refusal {
        Refusal::NoReason => ApiError::invalid("reason", text),
        Refusal::UnknownGate { .. } | Refusal::BlankNote { .. } => {
            ApiError::invalid("gate_notes", text)
        }
        Refusal::RequestReused { .. } => ApiError::invalid("request_id", text),
        Refusal::Changed { .. } => ApiError::aborted(refusal.reason(), text),
        Refusal::OwnWork { .. } | Refusal::OwnWorkHere { .. } => {
            ApiError::PermissionDenied { message: text }
        }
        _ => ApiError::precondition(refusal.reason(), text),
    }
}
