//! `ListBandTransitions`: how parties moved between bands from one batch to another.

use std::sync::Arc;

use kycc_domain::bands::Bands;
use kycc_proto::scoring::v1::{
    BandTransition, BandTransitionRow, ListBandTransitionsRequest, ListBandTransitionsResponse,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token, timestamp};
use tonic::Status;

use super::answers::band_names;
use super::light_rows::LightRows;
use super::off_thread::off_thread;
use super::published::{BatchScores, PublishedScores};
use crate::core::moved::{Outcomes as _, Pair, pairs};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// What a caller wants to see of the parties.
struct Wanted {
    from: String,
    to: String,
    after: Option<String>,
    size: usize,
}

pub(super) async fn page(
    published: &PublishedScores,
    request: ListBandTransitionsRequest,
) -> Result<ListBandTransitionsResponse, Status> {
    let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
    let after = read_page_token(&request.page_token)?;
    let scores = published.current(&request.batch_id).await?;
    let base = match request.base_batch_id.as_str() {
        "" => before(published, &scores).await?,
        base => published.current(base).await?,
    };
    known("from_band", &request.from_band, base.card.bands())?;
    known("to_band", &request.to_band, scores.card.bands())?;
    let old = published.light_rows(&base.version).await?;
    let new = published.light_rows(&scores.version).await?;
    let wanted = Wanted {
        from: request.from_band,
        to: request.to_band,
        after,
        size,
    };
    off_thread(move |_| Ok(compared(&base, &old, &scores, &new, &wanted))).await
}

/// The batch before another in time.
async fn before(
    published: &PublishedScores,
    scores: &BatchScores,
) -> Result<Arc<BatchScores>, Status> {
    let as_of = scores.as_of().unwrap_or_default();
    let placed = published.in_time().await?;
    let earlier = placed
        .iter()
        .find(|one| one.as_of < as_of && one.made.batch_id != scores.batch);
    let found = match earlier {
        Some(earlier) => published.scores(&earlier.made).await?,
        None => None,
    };
    found.ok_or_else(|| {
        let message = format!(
            "no batch with an earlier as-of than that of {} has been scored; name one to compare with",
            scores.batch
        );
        ApiError::precondition("NO_EARLIER_BATCH", message).into()
    })
}

fn known(field: &str, band: &str, bands: &Bands) -> Result<(), ApiError> {
    let known = || bands.as_slice().iter().any(|known| known.name == band);
    if band.is_empty() || known() {
        return Ok(());
    }
    let text = format!(
        "is not a band of that batch; there are {}",
        band_names(bands)
    );
    Err(ApiError::invalid(field, text))
}

fn names(bands: &Bands) -> Vec<String> {
    let bands = bands.as_slice().iter();
    bands.map(|band| band.name.clone()).collect()
}

fn compared(
    base: &BatchScores,
    old: &LightRows,
    scores: &BatchScores,
    new: &LightRows,
    wanted: &Wanted,
) -> ListBandTransitionsResponse {
    let (from_bands, to_bands) = (names(base.card.bands()), names(scores.card.bands()));
    let mut counts = vec![vec![0u64; to_bands.len()]; from_bands.len()];
    let mut answer = ListBandTransitionsResponse {
        batch_id: scores.batch.clone(),
        base_batch_id: base.batch.clone(),
        as_of_time: scores.as_of().map(timestamp),
        base_as_of_time: base.as_of().map(timestamp),
        ..ListBandTransitionsResponse::default()
    };
    pairs(old, new, |pair| {
        let (at, to) = match pair {
            Pair::Both { old, new } => (old, new),
            Pair::Appeared { .. } => return answer.appeared += 1,
            Pair::Disappeared { .. } => return answer.disappeared += 1,
        };
        let (from_band, to_band) = (old.band(at), new.band(to));
        let position = |bands: &[String], band| bands.iter().position(|known| known == band);
        if let (Some(from), Some(to)) = (
            position(&from_bands, from_band),
            position(&to_bands, to_band),
        ) {
            counts[from][to] += 1;
        }
        let is_wanted = |wanted: &str, band| wanted.is_empty() || wanted == band;
        if from_band == to_band
            || !is_wanted(&wanted.from, from_band)
            || !is_wanted(&wanted.to, to_band)
        {
            return;
        }
        answer.total_size += 1;
        let party = new.party(to);
        if wanted.after.as_deref().is_some_and(|after| party <= after) {
            return;
        }
        if answer.transitions.len() < wanted.size {
            answer.transitions.push(BandTransition {
                party_id: party.to_owned(),
                from_band: from_band.to_owned(),
                to_band: to_band.to_owned(),
                from_final_score: old.final_score(at),
                to_final_score: new.final_score(to),
            });
        } else if answer.next_page_token.is_empty()
            && let Some(last) = answer.transitions.last()
        {
            answer.next_page_token = page_token(&last.party_id);
        }
    });
    let rows = from_bands.into_iter().zip(counts);
    answer.matrix = rows
        .map(|(from_band, parties)| BandTransitionRow { from_band, parties })
        .collect();
    answer.to_bands = to_bands;
    answer
}
