//! What was observed of a batch's parties: the outcomes that came with it, those recorded, and late payments among its
//! own transactions.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType, UInt32Type};
use kycc_domain::labels::{DAY_MICROS, LabelPolicy, Observation, Observed, Origin, OutcomeEvent};
use kycc_lake::datasets::{OUTCOMES, TRANSACTIONS};
use kycc_runtime::{TaskContext, TaskError};

use super::source::{RecordedOutcomes, SOURCE, store_failed};
use crate::core::outcome::kind_named;
use crate::core::parties::{Parties, prefer};
use crate::store::OutcomeStore;

/// What observing needs beside the outcomes.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) parties: Parties<'a>,
    pub(crate) policy: &'a LabelPolicy,
    pub(crate) t0_micros: i64,
    /// Until when outcomes are known.
    pub(crate) data_cut_micros: Option<i64>,
    /// Whether the feed knows every party.
    pub(crate) complete: bool,
}

/// Everything observed of the batch, put together: values of its labels file first, then events.
pub(crate) async fn observe(
    cx: &TaskContext,
    store: &Arc<dyn OutcomeStore>,
    frame: &Frame<'_>,
) -> Result<Observed, TaskError> {
    let outcomes = cx
        .lake()
        .read(&cx.input(OUTCOMES.name)?, None, None)
        .await?;
    let filed = filed(cx, &outcomes, frame)?;
    let by_value =
        Observed::from_values(frame.parties.0.len(), &filed.values).map_err(|error| {
            TaskError::fatal(
                error.reason(),
                format!("the labels of the batch contradict each other: {error}"),
            )
        })?;
    let mut events = filed.events;
    let Some(cut) = frame.data_cut_micros else {
        if !events.is_empty() {
            return Err(TaskError::fatal(
                "DATA_CUT_REQUIRED",
                "the batch came with outcome events; set ops.generate_scorecard_labels.config.data_cut to the time up \
                 to which they are known",
            ));
        }
        if recorded(cx, store, frame, i64::MAX).await?.is_empty() {
            return Ok(by_value);
        }
        cx.warning(
            "recorded outcomes of these parties are not used: set ops.generate_scorecard_labels.config.data_cut to \
             the time up to which they are known",
        );
        return Ok(by_value);
    };
    events.extend(recorded(cx, store, frame, cut).await?);
    events.extend(late_transactions(cx).await?);
    let observation = Observation {
        t0_micros: frame.t0_micros,
        data_cut_micros: cut,
        complete: frame.complete,
    };
    let by_event = Observed::from_events(frame.policy, observation, frame.parties.0.len(), &events)
        .map_err(|error| TaskError::fatal(error.reason(), error.to_string()))?;
    Ok(prefer(by_value, &by_event))
}

#[derive(Debug, Default)]
struct Filed {
    values: Vec<(usize, bool)>,
    events: Vec<OutcomeEvent>,
}

/// The batch's own `outcomes` dataset. Parties that the batch does not hold are counted and left out.
fn filed(cx: &TaskContext, outcomes: &RecordBatch, frame: &Frame<'_>) -> Result<Filed, TaskError> {
    let column = |name: &str| {
        outcomes.column_by_name(name).ok_or_else(|| {
            TaskError::fatal(
                "OUTCOMES_UNREADABLE",
                format!("the outcomes dataset has no column {name}"),
            )
        })
    };
    let party_ids = column("party_id")?.as_string::<i32>();
    let kinds = column("kind")?.as_string::<i32>();
    let values = column("will_default")?.as_boolean();
    let days = column("days_past_due")?.as_primitive::<Int32Type>();
    let times = column("occurred_at")?.as_primitive::<TimestampMicrosecondType>();
    let mut found = Filed::default();
    let mut strangers = 0u64;
    for row in 0..outcomes.num_rows() {
        let Some(party) = frame.parties.position(party_ids.value(row)) else {
            strangers += 1;
            continue;
        };
        match kind_named(kinds.value(row)) {
            Some(kind) => found.events.push(OutcomeEvent {
                party,
                kind,
                days_past_due: days.is_valid(row).then(|| days.value(row)),
                occurred_at_micros: times.value(row),
                origin: Origin::Feed,
            }),
            None => found.values.push((party, values.value(row))),
        }
    }
    if strangers > 0 {
        cx.warning(format!(
            "{strangers} outcomes are of parties that the batch does not hold; they are left out"
        ));
    }
    Ok(found)
}

/// Recorded outcomes of the batch's parties, from the start of the window before t0 up to `cut`.
async fn recorded(
    cx: &TaskContext,
    store: &Arc<dyn OutcomeStore>,
    frame: &Frame<'_>,
    cut: i64,
) -> Result<Vec<OutcomeEvent>, TaskError> {
    let source: RecordedOutcomes = serde_json::from_str(&cx.source(SOURCE)?.document_json)
        .map_err(|error| {
            TaskError::fatal(
                "SOURCE_UNREADABLE",
                "the source recorded_outcomes is not what a task carries",
            )
            .with_source(error)
        })?;
    let window = i64::from(frame.policy.window_days) * DAY_MICROS;
    let from = frame.t0_micros.saturating_sub(window);
    let outcomes = store
        .read(source.through_id, from, cut)
        .await
        .map_err(store_failed)?;
    let events = outcomes.into_iter().filter_map(|outcome| {
        Some(OutcomeEvent {
            party: frame.parties.position(&outcome.party_id)?,
            kind: outcome.kind,
            days_past_due: Some(outcome.days_past_due),
            occurred_at_micros: outcome.occurred_at_micros,
            origin: Origin::Feed,
        })
    });
    Ok(events.collect())
}

/// What the batch's transactions say of late payments.
async fn late_transactions(cx: &TaskContext) -> Result<Vec<OutcomeEvent>, TaskError> {
    let columns = ["party_ord", "ts", "days_past_due"];
    let rows = cx
        .lake()
        .read(&cx.input(TRANSACTIONS.name)?, Some(&columns), None)
        .await?;
    let parties = rows.column(0).as_primitive::<UInt32Type>();
    let times = rows.column(1).as_primitive::<TimestampMicrosecondType>();
    let days = rows.column(2).as_primitive::<Int32Type>();
    let late = (0..rows.num_rows()).filter(|&row| days.is_valid(row) && days.value(row) > 0);
    Ok(late
        .map(|row| {
            OutcomeEvent::of_transaction(
                parties.value(row) as usize,
                days.value(row),
                times.value(row),
            )
        })
        .collect())
}
