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
    let mut scoring = connection.scoring();
    let mut entries = Vec::new();
    let mut request = ListScoreHistoryRequest {
        party_id,
        ..ListScoreHistoryRequest::default()
    };
    let limit = limit as usize;
    while entries.len() < limit {
        request.page_size = i32::try_from(limit - entries.len()).unwrap_or(i32::MAX);
        let answer = scoring.list_score_history(request.clone()).await;
        let page = answer.map_err(ClientError::from)?.into_inner();
        entries.extend(page.entries);
        // A page may be empty and lead on.
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
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
    let mut request = ListBandTransitionsRequest {
        batch_id: batch.unwrap_or_default(),
        base_batch_id: base.unwrap_or_default(),
        page_size: i32::try_from(limit).unwrap_or(i32::MAX),
        ..ListBandTransitionsRequest::default()
    };
    let mut scoring = connection.scoring();
    let answer = scoring.list_band_transitions(request.clone()).await;
    let mut found = answer.map_err(ClientError::from)?.into_inner();
    let limit = limit as usize;
    while found.transitions.len() < limit && !found.next_page_token.is_empty() {
        request.page_size = i32::try_from(limit - found.transitions.len()).unwrap_or(i32::MAX);
        request.page_token = std::mem::take(&mut found.next_page_token);
        let answer = scoring.list_band_transitions(request.clone()).await;
        let page = answer.map_err(ClientError::from)?.into_inner();
        found.transitions.extend(page.transitions);
        found.next_page_token = page.next_page_token;
    }
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

/// One line a party, until the server ends it or the person does; as JSON one object a line, and one more with the place to
/// go on from after each part of a publication.
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
    let ended = loop {
        let said = tokio::select! {
            said = feed.message() => said,
            _ = &mut stopped => break Ok(()),
        };
        let said = match said {
            Ok(Some(said)) => said,
            Ok(None) => break Ok(()),
            Err(status) => break Err(ClientError::from(status)),
        };
        token.clone_from(&said.resume_token);
        for change in said.changes {
            if global.json {
                outln!(
                    "{}",
                    json!({
                        "batch_id": said.batch_id, "party_id": change.party_id,
                        "previous_final_score": change.previous_final_score,
                        "previous_band": change.previous_band, "final_score": change.final_score,
                        "band": change.band,
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
        if global.json {
            // After the changes: who has read this line has read them all.
            outln!(
                "{}",
                json!({"batch_id": said.batch_id, "resume_token": token})
            );
        }
    };
    if !global.json && !token.is_empty() {
        outln!("go on with: kycc score watch --after {token}");
    }
    Ok(ended?)
}
