//! Changes of a version's life; each prints the version as it stands then.

use anyhow::Context;
use kycc_proto::scorecards::v1::{
    ActivateVersionRequest, ApproveVersionRequest, RejectVersionRequest, RollBackVersionRequest,
    SetShadowRequest,
};
use kycc_rpc::ClientError;
use serde_json::json;
use uuid::Uuid;

use super::version::show;
use crate::args::{Global, ScorecardCommand};
use crate::connection::Connection;
use crate::show::json as show_json;

pub(super) async fn run(
    connection: &Connection,
    global: &Global,
    command: ScorecardCommand,
) -> anyhow::Result<()> {
    let request_id = Uuid::new_v4().to_string();
    let mut service = connection.scorecards();
    let version = match command {
        ScorecardCommand::Approve {
            change,
            notes,
            allow_self_approval,
        } => {
            let request = ApproveVersionRequest {
                version: change.card,
                reason: change.reason,
                gate_notes: notes.into_iter().collect(),
                etag: change.etag.unwrap_or_default(),
                request_id,
                allow_self_approval,
            };
            let answer = service.approve_version(request).await;
            let answer = answer.map_err(ClientError::from);
            answer
                .context("the version was not approved")?
                .into_inner()
                .version
        }
        ScorecardCommand::Reject(change) => {
            let request = RejectVersionRequest {
                version: change.card,
                reason: change.reason,
                etag: change.etag.unwrap_or_default(),
                request_id,
            };
            let answer = service.reject_version(request).await;
            let answer = answer.map_err(ClientError::from);
            answer
                .context("the version was not rejected")?
                .into_inner()
                .version
        }
        ScorecardCommand::Activate(change) => {
            let request = ActivateVersionRequest {
                version: change.card,
                reason: change.reason,
                etag: change.etag.unwrap_or_default(),
                request_id,
            };
            let answer = service.activate_version(request).await;
            let answer = answer.map_err(ClientError::from);
            answer
                .context("the version was not activated; the active one stays")?
                .into_inner()
                .version
        }
        ScorecardCommand::Rollback { card, reason, etag } => {
            let request = RollBackVersionRequest {
                version: card.unwrap_or_default(),
                reason,
                etag: etag.unwrap_or_default(),
                request_id,
            };
            let answer = service.roll_back_version(request).await;
            let answer = answer.map_err(ClientError::from);
            answer
                .context("nothing was rolled back; the active one stays")?
                .into_inner()
                .version
        }
        ScorecardCommand::Shadow {
            card, reason, etag, ..
        } => {
            let request = SetShadowRequest {
                version: card.unwrap_or_default(),
                reason,
                etag: etag.unwrap_or_default(),
                request_id,
            };
            let answer = service.set_shadow(request).await;
            let answer = answer.map_err(ClientError::from);
            let version = answer
                .context("the shadow stays as it was")?
                .into_inner()
                .version;
            if version.is_none() {
                no_shadow(global);
                return Ok(());
            }
            version
        }
        _ => anyhow::bail!("this command changes nothing"),
    };
    show(global, version)
}

fn no_shadow(global: &Global) {
    if global.json {
        show_json::print(&json!({"version": null}));
    } else {
        outln!("no version scores in the shadow of the active one");
    }
}
