//! `ListOutcomes`: what has been recorded of one party, oldest first.

use kycc_proto::labels::v1::{ListOutcomesRequest, ListOutcomesResponse, Outcome, RecordedOutcome};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token, timestamp};

use super::record::kind_to_wire;
use crate::store::{OutcomeStore, Place, Recorded};

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1_000;

pub(super) async fn list_outcomes(
    store: &dyn OutcomeStore,
    request: ListOutcomesRequest,
) -> Result<ListOutcomesResponse, ApiError> {
    if request.party_id.is_empty() {
        return Err(ApiError::invalid("party_id", "must name a party"));
    }
    let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
    let after = match read_page_token(&request.page_token)? {
        None => Place::START,
        Some(text) => {
            place(&text).ok_or_else(|| ApiError::invalid("page_token", "is of another call"))?
        }
    };
    let mut found = store
        .of_party(&request.party_id, after, size + 1)
        .await
        .map_err(|error| ApiError::internal(&error))?;
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|last| last.place);
    Ok(ListOutcomesResponse {
        outcomes: found.into_iter().map(to_wire).collect(),
        next_page_token: last.map_or_else(String::new, |last| page_token(&text(last))),
    })
}

fn text(place: Place) -> String {
    format!("{} {}", place.occurred_at_micros, place.number)
}

fn place(text: &str) -> Option<Place> {
    let (at, number) = text.split_once(' ')?;
    Some(Place {
        occurred_at_micros: at.parse().ok()?,
        number: number.parse().ok()?,
    })
}

fn to_wire(recorded: Recorded) -> RecordedOutcome {
    let outcome = recorded.outcome;
    RecordedOutcome {
        outcome: Some(Outcome {
            party_id: outcome.party_id,
            kind: kind_to_wire(outcome.kind).into(),
            days_past_due: outcome.days_past_due,
            occurred_time: Some(timestamp(outcome.occurred_at_micros)),
        }),
        source: recorded.source,
        record_time: Some(timestamp(recorded.recorded_at_micros)),
        recorded_by: recorded.recorded_by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_token() {
        let one = Place {
            occurred_at_micros: -5,
            number: 7,
        };
        assert_eq!(place(&text(one)), Some(one));
        for foreign in ["", "7", "a 7", "k\nP-1"] {
            assert_eq!(place(foreign), None);
        }
    }
}
