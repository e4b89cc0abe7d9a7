//! `ListScores`: pages of a batch by party or by score, filtered and counted.

use std::ops::ControlFlow;

use kycc_proto::scoring::v1::{ListScoresRequest, ListScoresResponse, ScoreOrder};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use tonic::Status;

use super::answers::band_names;
use super::lookups::Snapshot;
use super::mask::Mask;
use super::off_thread::off_thread;
use super::published::PublishedScores;

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

/// Where a page goes on: after a party, of that final score where the order is by score. Not a row, so that it holds even if
/// the batch has been scored again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    order: ScoreOrder,
    final_score: i32,
    party: String,
}

impl Cursor {
    fn token(&self) -> String {
        let Self {
            order,
            final_score,
            party,
        } = self;
        page_token(&format!("{} {final_score} {party}", *order as i32))
    }

    fn read(token: &str, order: ScoreOrder) -> Result<Option<Self>, ApiError> {
        let refused = |text: &str| ApiError::invalid("page_token", text);
        let Some(cursor) = read_page_token(token)? else {
            return Ok(None);
        };
        let parsed = || {
            let mut parts = cursor.splitn(3, ' ');
            let of: ScoreOrder = parts.next()?.parse::<i32>().ok()?.try_into().ok()?;
            let final_score = parts.next()?.parse().ok()?;
            Some((of, final_score, parts.next()?.to_owned()))
        };
        match parsed() {
            Some((of, final_score, party)) if of == order => Ok(Some(Self {
                order,
                final_score,
                party,
            })),
            Some(_) => Err(refused("is of a list in another order")),
            None => Err(refused("is not a token of this list")),
        }
    }
}

/// What a row must be.
struct Filter {
    band: String,
    least: i32,
    greatest: i32,
    flagged_only: bool,
}

impl Filter {
    fn keeps(&self, snapshot: &Snapshot, at: usize) -> bool {
        let columns = snapshot.columns();
        let score = columns.final_score.value(at);
        (self.least..=self.greatest).contains(&score)
            && (self.band.is_empty() || columns.band.value(at) == self.band)
            && !(self.flagged_only && columns.flags.is_empty(at))
    }
}

pub(super) async fn page(
    published: &PublishedScores,
    request: ListScoresRequest,
) -> Result<ListScoresResponse, Status> {
    let order = match ScoreOrder::try_from(request.order) {
        Ok(ScoreOrder::Unspecified) => ScoreOrder::Party,
        Ok(order) => order,
        Err(_) => return Err(ApiError::invalid("order", "is not an order of scores").into()),
    };
    let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
    let after = Cursor::read(&request.page_token, order)?;
    let filter = Filter {
        least: request.min_final_score.unwrap_or(i32::MIN),
        greatest: request.max_final_score.unwrap_or(i32::MAX),
        flagged_only: request.flagged_only,
        band: request.band,
    };
    if filter.least > filter.greatest {
        let text = format!("must be at least min_final_score, {}", filter.least);
        return Err(ApiError::invalid("max_final_score", text).into());
    }
    let mask = Mask::read(request.read_mask.as_ref(), Mask::LISTED)?;
    let scores = published.current(&request.batch_id).await?;
    let bands = scores.card.bands();
    let known = |band: &str| bands.as_slice().iter().any(|known| known.name == band);
    if !filter.band.is_empty() && !known(&filter.band) {
        let text = format!("is not a band; there are {}", band_names(bands));
        return Err(ApiError::invalid("band", text).into());
    }
    let snapshot = Snapshot::open(published, scores, mask).await?;
    // To count is to look at every row.
    off_thread(move |_| Ok(listed(&snapshot, &filter, order, after.as_ref(), size))).await
}

fn listed(
    snapshot: &Snapshot,
    filter: &Filter,
    order: ScoreOrder,
    after: Option<&Cursor>,
    size: usize,
) -> ListScoresResponse {
    let columns = snapshot.columns();
    let mut answer = ListScoresResponse {
        batch_id: snapshot.scores.batch.clone(),
        ..ListScoresResponse::default()
    };
    let mut last = None;
    in_order(snapshot, order, |at| {
        if !filter.keeps(snapshot, at) {
            return ControlFlow::Continue(());
        }
        answer.total_size += 1;
        let (score, party) = (columns.final_score.value(at), snapshot.table.party(at));
        if after.is_some_and(|after| !comes_after(order, score, party, after)) {
            return ControlFlow::Continue(());
        }
        if answer.scores.len() < size {
            answer.scores.push(snapshot.score(at));
            last = Some((score, party));
        } else if answer.next_page_token.is_empty()
            && let Some((final_score, party)) = last
        {
            let party = party.to_owned();
            let cursor = Cursor {
                order,
                final_score,
                party,
            };
            answer.next_page_token = cursor.token();
        }
        ControlFlow::Continue(())
    });
    answer
}

/// Calls `each` with every row. The best first keeps parties of one score in party order, as the worst first does.
fn in_order(
    snapshot: &Snapshot,
    order: ScoreOrder,
    mut each: impl FnMut(usize) -> ControlFlow<()>,
) {
    let columns = snapshot.columns();
    let _ = match order {
        ScoreOrder::Unspecified | ScoreOrder::Party => (0..snapshot.parties()).try_for_each(each),
        ScoreOrder::LowestFirst => columns
            .lowest_first()
            .iter()
            .try_for_each(|&at| each(at as usize)),
        ScoreOrder::HighestFirst => {
            let same_score = |a: &u32, b: &u32| {
                columns.final_score.value(*a as usize) == columns.final_score.value(*b as usize)
            };
            let groups: Vec<_> = columns.lowest_first().chunk_by(same_score).collect();
            let mut rows = groups.into_iter().rev().flatten();
            rows.try_for_each(|&at| each(at as usize))
        }
    };
}

fn comes_after(order: ScoreOrder, score: i32, party: &str, after: &Cursor) -> bool {
    let later_party = party > after.party.as_str();
    match order {
        ScoreOrder::Unspecified | ScoreOrder::Party => later_party,
        ScoreOrder::LowestFirst => {
            score > after.final_score || score == after.final_score && later_party
        }
        ScoreOrder::HighestFirst => {
            score < after.final_score || score == after.final_score && later_party
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_belongs_to_its_order() {
        for party in ["P-1", "", "with two blanks", "ä '; --"] {
            let cursor = Cursor {
                order: ScoreOrder::LowestFirst,
                final_score: -7,
                party: party.to_owned(),
            };
            let token = cursor.token();
            let read = Cursor::read(&token, ScoreOrder::LowestFirst).unwrap();
            assert_eq!(read, Some(cursor));
            Cursor::read(&token, ScoreOrder::Party).unwrap_err();
        }
        assert_eq!(Cursor::read("", ScoreOrder::Party).unwrap(), None);
        for cursor in ["", "1", "1 x P", "99 1 P"] {
            Cursor::read(&page_token(cursor), ScoreOrder::Party).unwrap_err();
        }
    }
}
