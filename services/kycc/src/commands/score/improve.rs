//! `kycc score improve`: what would lift a party to a better band.

use kycc_proto::scoring::v1::{Improvement, ListImprovementsRequest, ListImprovementsResponse};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use super::values;
use crate::args::{Global, ImproveArgs};
use crate::connection::Connection;
use crate::show::{Table, chart, json as show_json, text};

pub(super) async fn show(
    connection: &Connection,
    global: &Global,
    args: ImproveArgs,
) -> anyhow::Result<()> {
    let who = args.party.clone().unwrap_or_else(|| "what if".into());
    let request = ListImprovementsRequest {
        party_id: args.party.unwrap_or_default(),
        batch_id: args.batch.unwrap_or_default(),
        features: values(args.features)?,
        target_band: args.band.unwrap_or_default(),
        scorecard_version: args.scorecard.unwrap_or_default(),
    };
    let answer = connection.scoring().list_improvements(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&as_json(&found));
    } else {
        print(&who, &found);
    }
    Ok(())
}

fn print(who: &str, found: &ListImprovementsResponse) {
    outln!(
        "{who}  {} {}  (card {})",
        found.final_score,
        found.band,
        found.scorecard_version
    );
    if found.target_band.is_empty() {
        outln!("  There is no better band.");
        return;
    }
    let (reach, rest): (Vec<_>, Vec<_>) = found
        .improvements
        .iter()
        .partition(|factor| factor.reachable);
    outln!(
        "\nOne of these changes alone reaches {} (from {}); first what the party can change, the smallest first:",
        found.target_band,
        found.target_score
    );
    print_changes(&reach, "  None: it takes more than one factor.");
    let rest: Vec<_> = rest
        .into_iter()
        .filter(|factor| factor.final_score > found.final_score)
        .collect();
    if !rest.is_empty() {
        outln!("\nThese help, but do not reach it alone; the best that each can do:");
        print_changes(&rest, "");
    }
}

fn print_changes(changes: &[&Improvement], nothing: &str) {
    let mut table = Table::new(&[
        "factor", "#now", "#then", "#points", "#score", "band", "change", "",
    ]);
    for change in changes {
        table.row([
            change.feature.clone(),
            text::decimal(change.current_value, 2),
            text::decimal(change.needed_value, 2),
            format!("{:+.1}", change.points_gained),
            change.final_score.to_string(),
            change.band.clone(),
            chart::bar(change.effort, 10),
            if change.actionable {
                String::new()
            } else {
                "not in the party's hands".into()
            },
        ]);
    }
    table.print(nothing);
}

fn as_json(found: &ListImprovementsResponse) -> Value {
    let improvements = found.improvements.iter().map(|change| {
        json!({
            "feature": change.feature,
            "current_value": change.current_value, "needed_value": change.needed_value,
            "points_gained": change.points_gained,
            "final_score": change.final_score, "band": change.band,
            "reachable": change.reachable, "effort": change.effort, "actionable": change.actionable,
        })
    });
    json!({
        "final_score": found.final_score,
        "band": found.band,
        "target_band": found.target_band,
        "target_score": found.target_score,
        "scorecard_version": found.scorecard_version,
        "improvements": improvements.collect::<Vec<_>>(),
    })
}
