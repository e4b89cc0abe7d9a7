//! What was observed of a batch's parties: the outcomes that came with it, those recorded, and late payments among its
//! own transactions.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType, UInt32Type};
use kycc_domain::labels::{LabelError, LabelPolicy, Observation, Observed, Origin, OutcomeEvent};
use kycc_lake::datasets::{OUTCOMES, TRANSACTIONS};
use kycc_runtime::{TaskContext, TaskError};

use super::recorded::{any_recorded, recorded};
use crate::core::outcome::kind_named;
use crate::core::parties::{Parties, disagreements, prefer};
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

/// Everything observed of the batch, put together. A value of its labels file is a verdict: events speak for the parties
/// that the file does not name.
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
    let by_value = by_value(frame, &filed.values)?;
    let end = frame.policy.window_end(frame.t0_micros);
    let Some(cut) = frame.data_cut_micros else {
        if !filed.events.is_empty() {
            return Err(TaskError::fatal(
                "DATA_CUT_REQUIRED",
                "the batch came with outcome events; set ops.generate_scorecard_labels.config.data_cut to the time up \
                 to which they are known",
            ));
        }
        if frame.complete || any_recorded(cx, store, frame, end).await? {
            cx.warning(
                "recorded outcomes of these parties, and their silence, are not used: set \
                 ops.generate_scorecard_labels.config.data_cut to the time up to which outcomes are known",
            );
        }
        return Ok(by_value);
    };
    let mut events = filed.events;
    events.extend(recorded(cx, store, frame, cut.min(end)).await?);
    events.extend(late_transactions(cx).await?);
    let observation = Observation {
        t0_micros: frame.t0_micros,
        data_cut_micros: cut,
        complete: frame.complete,
    };
    let by_event = Observed::from_events(frame.policy, observation, frame.parties.0.len(), &events)
        .map_err(|error| TaskError::fatal(error.reason(), error.to_string()))?;
    warn_of_disagreement(cx, frame, &by_value, &by_event);
    Ok(prefer(by_value, &by_event))
}

fn by_value(frame: &Frame<'_>, values: &[(usize, bool)]) -> Result<Observed, TaskError> {
    Observed::from_values(frame.parties.0.len(), values).map_err(|error| {
        let told = match &error {
            LabelError::Contradiction { party, .. } => format!(
                "the outcomes of the batch call party {} both good and bad; keep one of the two",
                frame.parties.0[*party]
            ),
            _ => format!("the labels file of the batch cannot be used: {error}"),
        };
        TaskError::fatal(error.reason(), told)
    })
}

fn warn_of_disagreement(cx: &TaskContext, frame: &Frame<'_>, file: &Observed, events: &Observed) {
    let mut parties = disagreements(file, events);
    let Some(first) = parties.next() else {
        return;
    };
    cx.warning(format!(
        "outcome events of {} parties say other than the labels file, which stands; the first is {}: {} in the file, {} \
         by its events",
        1 + parties.count(),
        frame.parties.0[first],
        file.labels[first].as_str(),
        events.labels[first].as_str(),
    ));
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
