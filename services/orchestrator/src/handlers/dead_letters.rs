//! Dead letters: shown, and done again once what killed the workers has been mended.

#[cfg(test)]
mod tests;

use kycc_proto::orchestrator::v1 as api;
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use serde_json::json;

use super::launch::fingerprint;
use super::retry::Again;
use super::{Api, failures};
use crate::store::{LetterFilter, StoredRun};
use crate::wire;

const LETTERS: (usize, usize) = (50, 500);
/// Tasks carry the documents of their sources.
const WITH_TASKS: (usize, usize) = (10, 20);

impl Api {
    pub(super) async fn list_dead_letters(
        &self,
        request: api::ListDeadLettersRequest,
    ) -> Result<api::ListDeadLettersResponse, ApiError> {
        let (usual, most) = match request.include_tasks {
            true => WITH_TASKS,
            false => LETTERS,
        };
        let size = page_size(request.page_size, usual, most)?;
        let before = read_page_token(&request.page_token)?;
        let filter = LetterFilter {
            run_id: request.run_id,
            only_open: request.only_open,
        };
        // One more than the page, to know whether another follows.
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let found = self
            .store
            .dead_letters(&filter, before.as_deref(), limit)
            .await;
        let mut found = found.map_err(failures::store)?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().map(|letter| page_token(&letter.id));
        Ok(api::ListDeadLettersResponse {
            dead_letters: found
                .iter()
                .map(|letter| wire::dead_letter_to_wire(letter, request.include_tasks))
                .collect(),
            next_page_token: last.filter(|_| more).unwrap_or_default(),
        })
    }

    /// Retries the run that failed with it, from its failed steps; the letter and the new run name each other.
    pub(super) async fn replay(
        &self,
        request: api::ReplayDeadLetterRequest,
        principal: String,
    ) -> Result<StoredRun, ApiError> {
        let id = request.dead_letter_id;
        let found = self.store.dead_letter(&id).await;
        let letter = found
            .map_err(failures::store)?
            .ok_or_else(|| ApiError::not_found("dead letter", &id))?;
        let again = Again {
            run_id: letter.run_id.to_string(),
            all: false,
            principal,
            request_id: request.request_id,
            fingerprint: fingerprint(&json!({"replay": id})),
            replays: Some(id),
        };
        self.run_again(again).await
    }
}
