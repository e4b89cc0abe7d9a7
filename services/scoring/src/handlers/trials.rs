//! A candidate card beside the one that decides: on past batches, and on those that it scored in the shadow.

mod answer;
mod outcomes;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use kycc_domain::card::Scorecard;
use kycc_domain::comparison as core;
use kycc_lake::VersionId;
use kycc_proto::orchestrator::v1::Materialization;
use kycc_proto::scorecards::v1::ListVersionsRequest;
use kycc_proto::scorecards::v1::scorecard_service_client::ScorecardServiceClient;
use kycc_proto::scoring::v1::{
    BackTestRequest, BackTestResponse, CardComparison, GetShadowReportRequest,
    GetShadowReportResponse,
};
use kycc_proto::work::v1::metadata_entry;
use kycc_rpc::ApiError;
use serde_json::Value;
use tonic::Status;

use self::outcomes::Known;
use super::off_thread::off_thread;
use super::published::{BatchScores, internal, read_card};
use super::scored_rows::ScoredRows;
use super::service::Scoring;
use crate::core::population::{Stopped, decide_all};
use crate::core::shadow::scored_by;

/// Batches in one report.
const MOST_BATCHES: usize = 20;

/// What the challenger gave every party of a batch.
struct Challenger {
    raw: Vec<f64>,
    final_scores: Vec<i32>,
}

pub(super) async fn back_test(
    scoring: &Scoring,
    request: BackTestRequest,
) -> Result<BackTestResponse, Status> {
    if request.scorecard_version.is_empty() {
        return Err(
            ApiError::invalid("scorecard_version", "must name the card to be tested").into(),
        );
    }
    let mut named = request.batch_ids;
    named.sort_unstable();
    named.dedup();
    if named.len() > MOST_BATCHES {
        let wanted = format!("must name at most {MOST_BATCHES} batches");
        return Err(ApiError::invalid("batch_ids", wanted).into());
    }
    let card = scoring
        .cards
        .get(&request.scorecard_version)
        .await?
        .card
        .card
        .clone();
    let mut batches = Vec::new();
    if named.is_empty() {
        batches = scoring.published.newest(MOST_BATCHES, |_| true).await?;
    }
    for batch in &named {
        batches.push(scoring.published.current(batch).await?);
    }
    let card = Arc::new(card);
    let mut comparisons = Vec::new();
    for scores in newest_first(batches) {
        // One batch in memory at a time.
        let challenger = rescored(scoring, &scores, &card).await?;
        comparisons.push(compared(scoring, &scores, &card, challenger).await?);
    }
    Ok(BackTestResponse { comparisons })
}

pub(super) async fn shadow_report(
    scoring: &Scoring,
    request: GetShadowReportRequest,
) -> Result<GetShadowReportResponse, Status> {
    let version = match request.scorecard_version {
        version if version.is_empty() => in_the_shadow(scoring).await?,
        // By whatever name it was asked for.
        name => scoring
            .cards
            .get(&name)
            .await?
            .card
            .card
            .version()
            .to_owned(),
    };
    let keep = |made: &Materialization| has_shadow(made, &version);
    let batches = scoring.published.newest(MOST_BATCHES, keep).await?;
    let mut comparisons = Vec::new();
    for scores in newest_first(batches) {
        let Some(shadow) = &scores.shadow else {
            continue;
        };
        let card = Arc::new(shadow_card(scoring, shadow).await?);
        let rows = scoring.published.scored_rows(shadow).await?;
        let challenger = Challenger {
            raw: rows.raw().to_vec(),
            final_scores: rows.final_scores().to_vec(),
        };
        comparisons.push(compared(scoring, &scores, &card, challenger).await?);
    }
    Ok(GetShadowReportResponse {
        scorecard_version: version,
        comparisons,
    })
}

/// Whether that version scored the batch in the shadow.
fn has_shadow(made: &Materialization, version: &str) -> bool {
    let said = made.metadata.iter().find(|entry| entry.label == "shadow");
    let Some(metadata_entry::Value::JsonValue(json)) = said.and_then(|said| said.value.as_ref())
    else {
        return false;
    };
    serde_json::from_str::<Value>(json)
        .is_ok_and(|said| said["version"] == version && said["not_scored"].is_null())
}

/// By as-of; of equal ones, the batch scored last first.
fn newest_first(mut batches: Vec<Arc<BatchScores>>) -> Vec<Arc<BatchScores>> {
    batches.sort_by_key(|scores| std::cmp::Reverse(scores.as_of()));
    batches
}

async fn in_the_shadow(scoring: &Scoring) -> Result<String, Status> {
    let mut client = ScorecardServiceClient::new(scoring.channel.clone());
    let mut page_token = String::new();
    loop {
        let request = ListVersionsRequest {
            page_size: 0,
            page_token,
        };
        let page = client.list_versions(request).await?.into_inner();
        if let Some(version) = page.versions.into_iter().find(|version| version.shadow) {
            return Ok(version.version);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            let message = "no scorecard version is in the shadow now; name one that was";
            return Err(ApiError::precondition("NO_SHADOW", message).into());
        }
    }
}

/// The card as it was when it scored.
async fn shadow_card(scoring: &Scoring, shadow: &VersionId) -> Result<Scorecard, Status> {
    let manifest = scoring.published.lake.existing(shadow).await;
    let kept = manifest.map_err(internal)?.metadata;
    let kept = kept.get("shadow").and_then(|shadow| shadow.as_object());
    read_card(&kept.cloned().unwrap_or_default())
}

/// The features that were scored, scored by the candidate, under the rules that decided then.
async fn rescored(
    scoring: &Scoring,
    scores: &BatchScores,
    card: &Arc<Scorecard>,
) -> Result<Challenger, Status> {
    let features = scoring.published.feature_rows(scores).await?;
    let (rules, card, batch) = (scores.rules()?, Arc::clone(card), scores.batch.clone());
    off_thread(move |left| {
        let columns = features.columns()?;
        let decided = decide_all(&card.compile(), &rules, &columns, || {
            left.load(Ordering::Relaxed)
        });
        let decided = decided.map_err(|stopped| match stopped {
            Stopped::Cancelled => Status::cancelled("the caller has left"),
            Stopped::Rule { row, source } => {
                let message = format!(
                    "a decision rule of batch {batch} failed on its party in row {row}: {source}"
                );
                ApiError::precondition("RULE_FAILED", message).into()
            }
        })?;
        Ok(Challenger {
            final_scores: decided.final_scores(),
            raw: decided.raw,
        })
    })
    .await
}

async fn compared(
    scoring: &Scoring,
    scores: &BatchScores,
    card: &Arc<Scorecard>,
    challenger: Challenger,
) -> Result<CardComparison, Status> {
    let champion = scores.card.clone();
    let rows: ScoredRows = scoring.published.scored_rows(&scores.version).await?;
    let known: Known = outcomes::known(scoring, scores, rows.party_ids()).await?;
    let (card, batch, as_of) = (Arc::clone(card), scores.batch.clone(), scores.as_of());
    off_thread(move |_| {
        let found = core::CardComparison::of(
            &scored_by(&champion, rows.raw(), rows.final_scores()),
            &scored_by(&card, &challenger.raw, &challenger.final_scores),
            &known.outcomes,
        );
        let found = found.map_err(|error| {
            let message = format!("the cards cannot be compared on batch {batch}: {error}");
            Status::from(ApiError::precondition(error.reason(), message))
        })?;
        Ok(answer::comparison(batch, as_of, &found, known.why_none))
    })
    .await
}
