//! Recorded outcomes of a batch's parties, read a page at a time: the store holds those of every batch.

use std::sync::Arc;

use kycc_domain::labels::{Origin, OutcomeEvent};
use kycc_runtime::{TaskContext, TaskError};

use super::observations::Frame;
use super::source::{RecordedOutcomes, SOURCE, store_failed};
use crate::store::{OutcomeStore, Span};

const PAGE: usize = 10_000;

/// Those that occurred by `until_micros`, in the order in which they were recorded. However old: an old one shows that the
/// feed covers its party.
pub(super) async fn recorded(
    cx: &TaskContext,
    store: &Arc<dyn OutcomeStore>,
    frame: &Frame<'_>,
    until_micros: i64,
) -> Result<Vec<OutcomeEvent>, TaskError> {
    let mut found = Vec::new();
    let mut pages = Pages::new(cx, until_micros)?;
    while let Some(page) = pages.next(cx, store, frame).await? {
        found.extend(page);
    }
    Ok(found)
}

/// Whether there is one of the batch's parties that occurred by `until_micros`.
pub(super) async fn any_recorded(
    cx: &TaskContext,
    store: &Arc<dyn OutcomeStore>,
    frame: &Frame<'_>,
    until_micros: i64,
) -> Result<bool, TaskError> {
    let mut pages = Pages::new(cx, until_micros)?;
    while let Some(page) = pages.next(cx, store, frame).await? {
        if !page.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Pages {
    span: Span,
    done: bool,
}

impl Pages {
    fn new(cx: &TaskContext, until_micros: i64) -> Result<Self, TaskError> {
        let source: RecordedOutcomes = serde_json::from_str(&cx.source(SOURCE)?.document_json)
            .map_err(|error| {
                TaskError::fatal(
                    "SOURCE_UNREADABLE",
                    "the source recorded_outcomes is not what a task carries",
                )
                .with_source(error)
            })?;
        let span = Span {
            after: 0,
            through: source.through_id,
            until_micros,
        };
        Ok(Self { span, done: false })
    }

    /// Events of the next page that are of the batch's parties; `None` after the last page.
    async fn next(
        &mut self,
        cx: &TaskContext,
        store: &Arc<dyn OutcomeStore>,
        frame: &Frame<'_>,
    ) -> Result<Option<Vec<OutcomeEvent>>, TaskError> {
        if self.done {
            return Ok(None);
        }
        cx.check_cancelled()?;
        let page = store.read(self.span, PAGE).await.map_err(store_failed)?;
        self.done = page.len() < PAGE;
        if let Some((number, _)) = page.last() {
            self.span.after = *number;
        }
        let events = page.into_iter().filter_map(|(_, outcome)| {
            Some(OutcomeEvent {
                party: frame.parties.position(&outcome.party_id)?,
                kind: outcome.kind,
                days_past_due: Some(outcome.days_past_due),
                occurred_at_micros: outcome.occurred_at_micros,
                origin: Origin::Feed,
            })
        });
        Ok(Some(events.collect()))
    }
}
