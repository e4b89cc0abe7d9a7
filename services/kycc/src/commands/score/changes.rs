//! `kycc score history`, `transitions` and `watch`: scores as they change.

use kycc_proto::scoring::v1::{
    ListBandTransitionsRequest, ListScoreHistoryRequest, WatchScoresRequest,
};
use kycc_rpc::ClientError;
use serde_json::json;

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(super) async fn history(
    connection: &Connection,
    global: &Global,
    party_id: String,
    limit: u32,
) -> anyhow::Result<()> {
    let request = ListScoreHistoryRequest {
        party_id,
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        ..ListScoreHistoryRequest::default()
    };
    let answer = connection.scoring().list_score_history(request).await;
    let entries = answer.map_err(ClientError::from)?.into_inner().entries;
    if global.json {
        let entries = entries.iter().map(|entry| {
            json!({
                "batch_id": entry.batch_id, "as_of_time": text::rfc3339(entry.as_of_time),
                "scorecard_version": entry.scorecard_version, "score": entry.score,
                "final_score": entry.final_score, "band": entry.band,
                "previous_batch_id": entry.previous_batch_id,
                "previous_final_score": entry.previous_final_score,
                "previous_band": entry.previous_band, "band_changed": entry.band_changed,
            })
        });
        show_json::print(&json!({"entries": entries.collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&["batch", "as of", "card", "#final_score", "band", "before"]);
    for entry in entries {
        table.row([
            entry.batch_id,
            text::time(entry.as_of_time),
            entry.scorecard_version,
            entry.final_score.to_string(),
            entry.band,
            entry
                .previous_final_score
                .map_or_else(String::new, |score| {
                    format!("{score} {}", entry.previous_band)
                }),
        ]);
    }
    table.print("no scored batch holds that party");
    Ok(())
}

pub(super) async fn transitions(
    connection: &Connection,
    global: &Global,
    batch: Option<String>,
    base: Option<String>,
    limit: u32,
) -> anyhow::Result<()> {
    let request = ListBandTransitionsRequest {
        batch_id: batch.unwrap_or_default(),
        base_batch_id: base.unwrap_or_default(),
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        ..ListBandTransitionsRequest::default()
    };
    let answer = connection.scoring().list_band_transitions(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        let matrix = found.matrix.iter();
        let matrix = matrix.map(|row| json!({"from_band": row.from_band, "parties": row.parties}));
        let moved = found.transitions.iter().map(|one| {
            json!({
                "party_id": one.party_id, "from_band": one.from_band, "to_band": one.to_band,
                "from_final_score": one.from_final_score, "to_final_score": one.to_final_score,
            })
        });
        show_json::print(&json!({
            "batch_id": found.batch_id, "base_batch_id": found.base_batch_id, "to_bands": found.to_bands,
            "matrix": matrix.collect::<Vec<_>>(), "transitions": moved.collect::<Vec<_>>(),
            "total_size": found.total_size, "appeared": found.appeared, "disappeared": found.disappeared,
        }));
        return Ok(());
    }
    outln!(
        "{} after {}: {} parties are in another band, {} are new, {} are gone",
        found.batch_id,
        found.base_batch_id,
        text::count(found.total_size),
        text::count(found.appeared),
        text::count(found.disappeared)
    );
    let mut matrix = Table::new(&["from", "to", "#parties"]);
    for row in found.matrix {
        for (to, parties) in found.to_bands.iter().zip(row.parties) {
            if parties > 0 {
                matrix.row([row.from_band.clone(), to.clone(), text::count(parties)]);
            }
        }
    }
    matrix.print("no party is in both batches");
    let mut moved = Table::new(&["party_id", "from", "#score", "to", "#score"]);
    for one in found.transitions {
        moved.row([
            one.party_id,
            one.from_band,
            one.from_final_score.to_string(),
            one.to_band,
            one.to_final_score.to_string(),
        ]);
    }
    outln!("");
    moved.print("nobody moved");
    Ok(())
}

/// One JSON object a line, or one line a party, until the server ends it or the person does.
pub(super) async fn watch(
    connection: &Connection,
    global: &Global,
    after: Option<String>,
    bands: bool,
) -> anyhow::Result<()> {
    let request = WatchScoresRequest {
        resume_token: after.unwrap_or_default(),
        band_changes_only: bands,
        ..WatchScoresRequest::default()
    };
    let answer = connection.scoring().watch_scores(request).await;
    let mut feed = answer.map_err(ClientError::from)?.into_inner();
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    let mut token = String::new();
    loop {
        let said = tokio::select! {
            said = feed.message() => said.map_err(ClientError::from)?,
            _ = &mut stopped => break,
        };
        let Some(said) = said else { break };
        token.clone_from(&said.resume_token);
        for change in said.changes {
            if global.json {
                outln!(
                    "{}",
                    json!({
                        "batch_id": said.batch_id, "party_id": change.party_id,
                        "previous_final_score": change.previous_final_score,
                        "previous_band": change.previous_band, "final_score": change.final_score,
                        "band": change.band, "resume_token": token,
                    })
                );
                continue;
            }
            let before = change.previous_final_score.map_or_else(
                || "new".to_owned(),
                |score| format!("{score} {}", change.previous_band),
            );
            let (batch, party) = (&said.batch_id, change.party_id);
            outln!(
                "{batch}  {party}  {before} → {} {}",
                change.final_score,
                change.band
            );
        }
    }
    if !global.json {
        outln!("go on with: kycc score watch --after {token}");
    }
    Ok(())
}
