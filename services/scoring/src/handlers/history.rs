//! `ListScoreHistory`: one party over the batches, the newest as-of first.

use std::cmp::Reverse;
use std::sync::Arc;

use kycc_proto::orchestrator::v1::Materialization;
use kycc_proto::scoring::v1::{
    ListScoreHistoryRequest, ListScoreHistoryResponse, ScoreHistoryEntry,
};
use kycc_rpc::{ApiError, page_size, position_token, read_position_token, timestamp};
use tonic::Status;

use super::light_rows::LightRows;
use super::published::{BatchScores, PublishedScores};
use crate::core::moved::Outcomes as _;

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;
/// Batches that one call looks into.
const MOST_BATCHES: usize = 200;

/// The current scores of a batch, by their place in time.
#[derive(Debug)]
pub(super) struct Placed {
    /// Microseconds.
    pub(super) as_of: i64,
    pub(super) made: Materialization,
}

/// The party in one batch.
struct Found {
    scores: Arc<BatchScores>,
    rows: Arc<LightRows>,
    at: usize,
    as_of: i64,
}

impl PublishedScores {
    /// The current scores of all batches, newest as-of first, of one as-of by batch id.
    pub(super) async fn in_time(&self) -> Result<Vec<Placed>, Status> {
        let mut placed = Vec::new();
        for made in self.every_current().await? {
            if let Some(as_of) = self.as_of(&made).await? {
                placed.push(Placed { as_of, made });
            }
        }
        let key = |one: &Placed| (Reverse(one.as_of), one.made.batch_id.clone());
        placed.sort_by_cached_key(key);
        Ok(placed)
    }

    async fn find(&self, placed: &Placed, party: &str) -> Result<Option<Found>, Status> {
        let Some(scores) = self.scores(&placed.made).await? else {
            return Ok(None);
        };
        let rows = self.light_rows(&scores.version).await?;
        let as_of = placed.as_of;
        Ok(rows.row_of(party).map(|at| Found {
            scores,
            at,
            as_of,
            rows,
        }))
    }
}

pub(super) async fn page(
    published: &PublishedScores,
    request: ListScoreHistoryRequest,
) -> Result<ListScoreHistoryResponse, Status> {
    if request.party_id.is_empty() {
        return Err(ApiError::invalid("party_id", "must name a party").into());
    }
    let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
    let after = read_position_token(&request.page_token)?;
    let mut batches = published.in_time().await?;
    if let Some((as_of, batch)) = &after {
        batches.retain(|one| (Reverse(one.as_of), &one.made.batch_id) > (Reverse(*as_of), batch));
    }
    let mut answer = ListScoreHistoryResponse::default();
    // An entry is complete when the one before it in time is known.
    let mut pending: Option<Found> = None;
    let mut looked = batches.len();
    for (at, placed) in batches.iter().enumerate() {
        // What the first batch of a page waits for is looked for as far as it lies: each page answers for one batch at least.
        let first_waits = pending
            .as_ref()
            .is_some_and(|found| found.scores.batch == batches[0].made.batch_id);
        if at >= MOST_BATCHES && !first_waits {
            looked = at;
            break;
        }
        let Some(found) = published.find(placed, &request.party_id).await? else {
            continue;
        };
        if let Some(newer) = pending.replace(found) {
            keep(&mut answer, entry(&newer, pending.as_ref()), &request);
            if answer.entries.len() == size {
                answer.next_page_token = position_token(newer.as_of, &newer.scores.batch);
                return Ok(answer);
            }
        }
    }
    if looked < batches.len() {
        // The last found waits for the one before it, which is on the next page.
        let (as_of, batch) = match (&pending, batches[..looked].last()) {
            (Some(found), _) => before(&batches, found),
            (None, Some(last)) => (last.as_of, last.made.batch_id.clone()),
            (None, None) => return Ok(answer),
        };
        answer.next_page_token = position_token(as_of, &batch);
        return Ok(answer);
    }
    if let Some(oldest) = pending {
        keep(&mut answer, entry(&oldest, None), &request);
    }
    Ok(answer)
}

/// The place just before a batch in the list, so that the next page begins with it. It is not the first one.
fn before(batches: &[Placed], found: &Found) -> (i64, String) {
    let at = batches
        .iter()
        .position(|one| one.made.batch_id == found.scores.batch);
    let place = &batches[at.unwrap_or(0).saturating_sub(1)];
    (place.as_of, place.made.batch_id.clone())
}

fn keep(
    answer: &mut ListScoreHistoryResponse,
    entry: ScoreHistoryEntry,
    request: &ListScoreHistoryRequest,
) {
    if entry.band_changed || !request.band_changes_only {
        answer.entries.push(entry);
    }
}

fn entry(found: &Found, older: Option<&Found>) -> ScoreHistoryEntry {
    let Found {
        scores, rows, at, ..
    } = found;
    let band = rows.band(*at);
    let previous_band = older.map_or("", |older| older.rows.band(older.at));
    ScoreHistoryEntry {
        batch_id: scores.batch.clone(),
        as_of_time: Some(timestamp(found.as_of)),
        scorecard_version: scores.card.version().to_owned(),
        score: rows.score(*at),
        final_score: rows.final_score(*at),
        band: band.to_owned(),
        previous_batch_id: older.map_or_else(String::new, |older| older.scores.batch.clone()),
        previous_final_score: older.map(|older| older.rows.final_score(older.at)),
        previous_band: previous_band.to_owned(),
        band_changed: older.is_some() && band != previous_band,
    }
}
