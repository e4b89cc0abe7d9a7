//! Changes of a version's life; each prints the version as it stands then, and says so where nothing changed.

use std::collections::BTreeMap;

use anyhow::Context;
use kycc_proto::scorecards::v1::{
    ActivateVersionRequest, ApproveVersionRequest, RejectVersionRequest, RollBackVersionRequest,
    ScorecardVersion, SetShadowRequest,
};
use kycc_rpc::ClientError;
use serde_json::json;
use uuid::Uuid;

use super::version::{show, status};
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
    let before = match named(&command) {
        // Where it is not found, the change says so.
        Some(name) => super::get(connection, name).await.ok().flatten(),
        None => None,
    };
    let version = match command {
        ScorecardCommand::Approve {
            change,
            notes,
            allow_self_approval,
        } => {
            let request = ApproveVersionRequest {
                version: change.card,
                reason: change.reason,
                gate_notes: by_gate(notes)?.into_iter().collect(),
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
    if let (Some(before), Some(after)) = (&before, &version)
        && let Some(hint) = unchanged(before, after)
    {
        eprintln!("{hint}");
    }
    show(global, version)
}

/// The version that the change is about, where it is named.
fn named(command: &ScorecardCommand) -> Option<String> {
    match command {
        ScorecardCommand::Approve { change, .. }
        | ScorecardCommand::Reject(change)
        | ScorecardCommand::Activate(change) => Some(change.card.clone()),
        ScorecardCommand::Rollback { card, .. } | ScorecardCommand::Shadow { card, .. } => {
            card.clone()
        }
        _ => None,
    }
}

fn by_gate(notes: Vec<(String, String)>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut by_gate = BTreeMap::new();
    for (gate, note) in notes {
        if by_gate.contains_key(&gate) {
            anyhow::bail!("--note names gate {gate} twice; say all of it in one note");
        }
        by_gate.insert(gate, note);
    }
    Ok(by_gate)
}

/// Every change gives a version another etag.
fn unchanged(before: &ScorecardVersion, after: &ScorecardVersion) -> Option<String> {
    let shadow = if after.shadow { ", in the shadow" } else { "" };
    (before.etag == after.etag).then(|| {
        format!(
            "nothing changed: version {} was {}{shadow} already, so the log has no new entry",
            after.version,
            status(after)
        )
    })
}

fn no_shadow(global: &Global) {
    if global.json {
        show_json::print(&json!({"version": null}));
    } else {
        outln!("no version scores in the shadow of the active one");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::scorecards::v1::ScorecardStatus;

    #[test]
    fn what_was_so_already_is_told_by_the_etag() {
        let version = |etag: &str| ScorecardVersion {
            version: "1.0".into(),
            etag: etag.into(),
            status: ScorecardStatus::Active.into(),
            ..ScorecardVersion::default()
        };
        assert_eq!(unchanged(&version("a"), &version("b")), None);
        let hint = unchanged(&version("a"), &version("a")).unwrap();
        assert!(
            hint.starts_with("nothing changed: version 1.0 was active already"),
            "{hint}"
        );
    }

    #[test]
    fn a_gate_has_one_note() {
        let note = |gate: &str| (gate.to_owned(), "small batch".to_owned());
        assert!(by_gate(vec![note("CHAMPION"), note("IMPACT")]).is_ok());
        let twice = by_gate(vec![note("CHAMPION"), note("CHAMPION")]);
        assert!(twice.unwrap_err().to_string().contains("CHAMPION twice"));
    }
}
