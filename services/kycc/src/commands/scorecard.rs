//! `kycc scorecard …`.

use anyhow::Context;
use kycc_proto::scorecards::v1::{
    ActivateVersionRequest, CompareVersionsRequest, CompareVersionsResponse, GetVersionRequest,
    ListVersionsRequest, ScorecardVersion,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::args::{FleetArgs, Global, ScorecardCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(crate) async fn run(global: &Global, command: ScorecardCommand) -> anyhow::Result<()> {
    let connection = match &command {
        ScorecardCommand::Activate { .. } => {
            Connection::for_runs(global, &FleetArgs::default(), &[]).await?
        }
        _ => Connection::for_reading(global).await?,
    };
    let outcome = answer(&connection, global, command).await;
    connection.close().await;
    outcome
}

async fn answer(
    connection: &Connection,
    global: &Global,
    command: ScorecardCommand,
) -> anyhow::Result<()> {
    match command {
        ScorecardCommand::List { limit } => list(connection, global, limit).await,
        ScorecardCommand::Show { card } => {
            let request = GetVersionRequest {
                version: card.unwrap_or_default(),
            };
            let answer = connection
                .scorecards()
                .get_version(request)
                .await
                .map_err(ClientError::from)?;
            show(global, answer.into_inner().version)
        }
        ScorecardCommand::Compare { base, other } => {
            let compared = compare(connection, base, other).await?;
            if global.json {
                show_json::print(&comparison_json(&compared));
            } else {
                print_comparison(&compared);
            }
            Ok(())
        }
        ScorecardCommand::Activate {
            card,
            reason,
            allow_self_approval,
        } => {
            let request_id = Uuid::new_v4().to_string();
            let request = ActivateVersionRequest {
                version: card,
                reason,
                request_id,
                allow_self_approval,
            };
            let answer = connection
                .scorecards()
                .activate_version(request)
                .await
                .map_err(ClientError::from);
            let answer = answer.context("the version was not activated; the active one stays")?;
            show(global, answer.into_inner().version)
        }
    }
}

async fn list(connection: &Connection, global: &Global, limit: u32) -> anyhow::Result<()> {
    let request = ListVersionsRequest {
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        page_token: String::new(),
    };
    let answer = connection
        .scorecards()
        .list_versions(request)
        .await
        .map_err(ClientError::from)?
        .into_inner();
    if global.json {
        show_json::print(
            &json!({"versions": answer.versions.iter().map(as_json).collect::<Vec<_>>()}),
        );
        return Ok(());
    }
    let mut table = Table::new(&[
        "version", "hash", "status", "author", "created", "parent", "gates",
    ]);
    for version in &answer.versions {
        table.row([
            version.version.clone(),
            version.hash.get(..12).unwrap_or_default().to_owned(),
            status(version),
            version.author.clone(),
            text::time(version.create_time),
            version.parent_version.clone(),
            gate_summary(version),
        ]);
    }
    table.print("no scorecard yet");
    Ok(())
}

fn status(version: &ScorecardVersion) -> String {
    version
        .status()
        .as_str_name()
        .trim_start_matches("SCORECARD_STATUS_")
        .to_lowercase()
}

fn gate_summary(version: &ScorecardVersion) -> String {
    let failed: Vec<_> = version
        .gates
        .iter()
        .filter(|gate| gate.status == "fail")
        .map(|gate| gate.gate.as_str())
        .collect();
    match (version.gates.len(), failed.len()) {
        (0, _) => "-".into(),
        (all, 0) => format!("{all}, none failed"),
        _ => format!("failed: {}", failed.join(" ")),
    }
}

fn show(global: &Global, version: Option<ScorecardVersion>) -> anyhow::Result<()> {
    let version = version.context("the server answered without a version")?;
    if global.json {
        show_json::print(&as_json(&version));
        return Ok(());
    }
    outln!(
        "scorecard {}  {}  {}",
        version.version,
        status(&version),
        version.hash
    );
    outln!(
        "  author {}, created {}",
        version.author,
        text::time(version.create_time)
    );
    if !version.approver.is_empty() {
        outln!("  approved by {}: {}", version.approver, version.note);
    }
    let mut table = Table::new(&["factor", "#weight", "scaling", "#max points"]);
    for factor in &version.factors {
        table.row([
            factor.feature.clone(),
            format!("{:.3}", factor.weight),
            factor.scaling.clone(),
            format!("{:.1}", factor.max_points),
        ]);
    }
    table.print("  no factors");
    print_gates(&version);
    Ok(())
}

/// The gates of a draft with what they found.
pub(crate) fn print_gates(version: &ScorecardVersion) {
    if version.gates.is_empty() {
        return;
    }
    let mut table = Table::new(&["gate", "result", "finding"]);
    for gate in &version.gates {
        table.row([gate.gate.clone(), gate.status.clone(), gate.message.clone()]);
    }
    table.print("");
}

pub(crate) async fn compare(
    connection: &Connection,
    base_version: String,
    other_version: String,
) -> anyhow::Result<CompareVersionsResponse> {
    let request = CompareVersionsRequest {
        base_version,
        other_version,
    };
    Ok(connection
        .scorecards()
        .compare_versions(request)
        .await
        .map_err(ClientError::from)?
        .into_inner())
}

/// Factor by factor, then the gates of the other.
pub(crate) fn print_comparison(compared: &CompareVersionsResponse) {
    let (Some(base), Some(other)) = (&compared.base, &compared.other) else {
        return;
    };
    outln!(
        "{} ({})  →  {} ({})",
        base.version,
        status(base),
        other.version,
        status(other)
    );
    let mut table = Table::new(&[
        "factor",
        "#weight",
        "#→ weight",
        "#max points",
        "#→ max points",
        "#change",
    ]);
    for change in &compared.changes {
        table.row([
            change.feature.clone(),
            format!("{:.2}", change.base_weight),
            format!("{:.2}", change.other_weight),
            format!("{:.1}", change.base_max_points),
            format!("{:.1}", change.other_max_points),
            format!("{:+.1}", change.other_max_points - change.base_max_points),
        ]);
    }
    table.print("the two weigh alike");
    print_gates(other);
}

fn comparison_json(compared: &CompareVersionsResponse) -> Value {
    let changes = compared.changes.iter().map(|change| {
        json!({
            "feature": change.feature,
            "base_weight": change.base_weight, "other_weight": change.other_weight,
            "base_max_points": change.base_max_points, "other_max_points": change.other_max_points,
        })
    });
    json!({
        "base": compared.base.as_ref().map(as_json),
        "other": compared.other.as_ref().map(as_json),
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn as_json(version: &ScorecardVersion) -> Value {
    let gates = version.gates.iter().map(|gate| {
        json!({"gate": gate.gate, "status": gate.status, "message": gate.message, "numbers": gate.numbers})
    });
    json!({
        "version": version.version,
        "hash": version.hash,
        "status": status(version),
        "author": version.author,
        "approver": version.approver,
        "note": version.note,
        "create_time": text::rfc3339(version.create_time),
        "activate_time": text::rfc3339(version.activate_time),
        "parent_version": version.parent_version,
        "model_id": version.model_id,
        "run_id": version.run_id,
        "blend": version.blend,
        "gates": gates.collect::<Vec<_>>(),
        "card": show_json::parsed(&version.card_json),
    })
}
