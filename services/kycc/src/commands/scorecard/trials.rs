//! A candidate beside the card that decided: on past batches, and on those that it scored in the shadow.

use kycc_proto::scoring::v1::{BackTestRequest, CardComparison, GetShadowReportRequest};
use kycc_rpc::ClientError;
use kycc_workbench::p_value;
use serde_json::{Value, json};

use crate::args::{Global, TrialCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(super) async fn run(
    connection: &Connection,
    global: &Global,
    command: TrialCommand,
) -> anyhow::Result<()> {
    match command {
        TrialCommand::Backtest { card, batches } => {
            let request = BackTestRequest {
                scorecard_version: card,
                batch_ids: batches,
            };
            let answer = connection.scoring().back_test(request).await;
            let found = answer.map_err(ClientError::from)?.into_inner().comparisons;
            if global.json {
                show_json::print(&json!({"comparisons": as_json(&found)}));
            } else {
                print(&found, "no batch has been scored yet");
            }
        }
        TrialCommand::ShadowReport { card } => {
            let request = GetShadowReportRequest {
                scorecard_version: card.unwrap_or_default(),
            };
            let answer = connection.scoring().get_shadow_report(request).await;
            let found = answer.map_err(ClientError::from)?.into_inner();
            if global.json {
                show_json::print(&json!({
                    "scorecard_version": found.scorecard_version,
                    "comparisons": as_json(&found.comparisons),
                }));
            } else {
                outln!("card {} in the shadow", found.scorecard_version);
                print(&found.comparisons, "it has scored no batch there yet");
            }
        }
    }
    Ok(())
}

fn print(comparisons: &[CardComparison], nothing: &str) {
    if comparisons.is_empty() {
        outln!("{nothing}");
        return;
    }
    let mut table = Table::new(&[
        "batch",
        "as of",
        "card",
        "→ card",
        "#parties",
        "#average",
        "#→",
        "#psi",
        "#by chance",
        "#↑ band",
        "#↓ band",
        "#in",
        "#out",
    ]);
    for found in comparisons {
        table.row([
            found.batch_id.clone(),
            text::time(found.as_of_time)
                .get(..10)
                .unwrap_or("-")
                .to_owned(),
            found.champion_version.clone(),
            found.challenger_version.clone(),
            text::count(found.parties),
            format!("{:.1}", found.champion_avg_score),
            format!("{:.1}", found.challenger_avg_score),
            format!("{:.3}", found.psi),
            format!("{:.3}", found.no_shift_bound),
            text::count(found.moved_better),
            text::count(found.moved_worse),
            text::count(found.swapped_in),
            text::count(found.swapped_out),
        ]);
    }
    table.print("");
    outln!(
        "\n  ↑ and ↓: parties in a better and a worse band; in and out: accepted by the one card alone, each at its cut-off"
    );
    print_outcomes(comparisons);
    if let [only] = comparisons {
        print_migration(only);
    }
}

fn print_outcomes(comparisons: &[CardComparison]) {
    outln!("\nWho told bad from good, where outcomes have matured");
    let mut table = Table::new(&[
        "batch",
        "#known",
        "#bad",
        "#auc",
        "#→ auc",
        "#change",
        "95 % interval",
        "#p",
    ]);
    for found in comparisons {
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.3}"));
        let interval = match (found.auc_difference_lower, found.auc_difference_upper) {
            (Some(lower), Some(upper)) => format!("{lower:+.3} to {upper:+.3}"),
            _ => found.not_evaluated.clone(),
        };
        table.row([
            found.batch_id.clone(),
            text::count(found.outcomes),
            text::count(found.bads),
            number(found.champion_auc),
            number(found.challenger_auc),
            found
                .auc_difference
                .map_or_else(|| "-".into(), |change| format!("{change:+.3}")),
            interval,
            found.auc_difference_p.map_or_else(|| "-".into(), p_value),
        ]);
    }
    table.print("");
}

/// Bands of the one card down, of the other across.
fn print_migration(found: &CardComparison) {
    outln!("\nbands: from (down) to (across), parties");
    let mut table = Table::new(&["from", "to", "#parties"]);
    for row in &found.migration {
        for (to, parties) in found.challenger_bands.iter().zip(&row.parties) {
            if *parties > 0 {
                table.row([row.champion_band.clone(), to.clone(), text::count(*parties)]);
            }
        }
    }
    table.print("");
}

fn as_json(comparisons: &[CardComparison]) -> Vec<Value> {
    let migration = |found: &CardComparison| -> Vec<Value> {
        let rows = found.migration.iter();
        rows.map(|row| json!({"champion_band": row.champion_band, "parties": row.parties}))
            .collect()
    };
    let comparisons = comparisons.iter().map(|found| {
        json!({
            "batch_id": found.batch_id,
            "as_of_time": text::rfc3339(found.as_of_time),
            "champion_version": found.champion_version,
            "challenger_version": found.challenger_version,
            "parties": found.parties,
            "champion_avg_score": found.champion_avg_score,
            "challenger_avg_score": found.challenger_avg_score,
            "psi": found.psi,
            "no_shift_bound": found.no_shift_bound,
            "champion_bands": found.champion_bands,
            "challenger_bands": found.challenger_bands,
            "migration": migration(found),
            "moved_better": found.moved_better,
            "moved_worse": found.moved_worse,
            "swapped_in": found.swapped_in,
            "swapped_out": found.swapped_out,
            "outcomes": found.outcomes,
            "bads": found.bads,
            "champion_auc": found.champion_auc,
            "challenger_auc": found.challenger_auc,
            "auc_difference": found.auc_difference,
            "auc_difference_lower": found.auc_difference_lower,
            "auc_difference_upper": found.auc_difference_upper,
            "auc_difference_p": found.auc_difference_p,
            "not_evaluated": found.not_evaluated,
        })
    });
    comparisons.collect()
}
