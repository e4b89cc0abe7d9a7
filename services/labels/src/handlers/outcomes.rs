//! `ListOutcomes`: what has been recorded of one party, oldest first.

use kycc_proto::labels::v1::{ListOutcomesRequest, ListOutcomesResponse, Outcome, RecordedOutcome};
use kycc_rpc::{ApiError, page_size, position_token, read_position_token, timestamp};
use kycc_runtime::store_error;

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
    let after = match read_position_token(&request.page_token)? {
        None => Place::START,
        Some((occurred_at_micros, number)) => Place {
            occurred_at_micros,
            number: number
                .parse()
                .map_err(|_| ApiError::invalid("page_token", "is not a token of this list"))?,
        },
    };
    let mut found = store
        .of_party(&request.party_id, after, size + 1)
        .await
        .map_err(|error| store_error(&error))?;
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|last| last.place);
    Ok(ListOutcomesResponse {
        outcomes: found.into_iter().map(to_wire).collect(),
        next_page_token: last.map_or_else(String::new, |last| {
            position_token(last.occurred_at_micros, &last.number.to_string())
        }),
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
