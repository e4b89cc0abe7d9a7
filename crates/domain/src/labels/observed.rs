//! Observed outcomes: the default that happened, or did not, within a window that has passed and was watched.

use super::{Label, LabelError, LabelPolicy};
use serde::{Deserialize, Serialize};

/// More days past due than this is a default (CRR Art. 178 counts 90 days).
const BAD_OVER_DAYS: i32 = 90;
/// At most so many days past due is still good.
const GOOD_UP_TO_DAYS: i32 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    LatePayment,
    WriteOff,
    Collections,
    Insolvency,
    Restructuring,
    Paid,
}

/// Who says so. Only the outcome feed shows that a party is being watched; its transactions do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Feed,
    Transaction,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeEvent {
    /// Position of the party in `party_id` order.
    pub party: usize,
    pub kind: OutcomeKind,
    pub days_past_due: Option<i32>,
    pub occurred_at_micros: i64,
    pub origin: Origin,
}

impl OutcomeEvent {
    /// What a transaction's own `days_past_due` says.
    pub fn of_transaction(party: usize, days_past_due: i32, ts_micros: i64) -> Self {
        Self {
            party,
            kind: OutcomeKind::LatePayment,
            days_past_due: Some(days_past_due),
            occurred_at_micros: ts_micros,
            origin: Origin::Transaction,
        }
    }

    fn is_default(&self) -> bool {
        use OutcomeKind::{Collections, Insolvency, LatePayment, Paid, Restructuring, WriteOff};
        match self.kind {
            WriteOff | Collections | Insolvency | Restructuring => true,
            // A payment that came 120 days late was 120 days past due.
            LatePayment | Paid => self.days_past_due.unwrap_or(0) > BAD_OVER_DAYS,
        }
    }
}

/// What an observation window is laid over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    pub t0_micros: i64,
    /// T: later events are not known yet.
    pub data_cut_micros: i64,
    /// The feed declares that it knows every party, so silence is good news.
    pub complete: bool,
}

/// Observed labels of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// One per party; `Unlabelled` where nothing can be said.
    pub labels: Vec<Label>,
    pub matured: bool,
    /// Parties that the feed covers.
    pub covered: usize,
}

#[derive(Clone, Copy, Default)]
struct History {
    covered: bool,
    bad_before: bool,
    bad_after: bool,
    worst_days_after: i32,
}

impl Observed {
    /// Nothing is known: a batch whose outcomes nobody delivered.
    pub fn nothing(parties: usize) -> Self {
        Self {
            labels: vec![Label::Unlabelled; parties],
            matured: false,
            covered: 0,
        }
    }

    /// From outcome events. One after the data cut, or after the window, changes nothing; not even who is covered, or a
    /// party's label would depend on how long after its window somebody looks.
    ///
    /// A party that was already in default at t0 is excluded whether or not the window has passed: no later event could
    /// make it a row to learn from.
    pub fn from_events(
        policy: &LabelPolicy,
        observation: Observation,
        parties: usize,
        events: &[OutcomeEvent],
    ) -> Result<Self, LabelError> {
        policy.validate()?;
        let Observation {
            t0_micros: t0,
            data_cut_micros: cut,
            complete,
        } = observation;
        let start = t0.saturating_sub(policy.window_micros());
        let end = policy.window_end(t0);
        let mut histories = vec![History::default(); parties];
        for (index, event) in events.iter().enumerate() {
            let party = event.party;
            let history = histories.get_mut(party).ok_or(LabelError::UnknownParty {
                index,
                party,
                parties,
            })?;
            if event.kind == OutcomeKind::LatePayment && event.days_past_due.is_none() {
                return Err(LabelError::NoDaysPastDue { index });
            }
            let at = event.occurred_at_micros;
            if at > cut.min(end) {
                continue;
            }
            history.covered |= event.origin == Origin::Feed;
            if (start..=t0).contains(&at) {
                history.bad_before |= event.is_default();
            } else if at > t0 {
                history.bad_after |= event.is_default();
                let days = event.days_past_due.unwrap_or(0);
                history.worst_days_after = history.worst_days_after.max(days);
            }
        }
        let matured = end <= cut;
        Ok(Self {
            labels: histories
                .iter()
                .map(|history| history.label(matured, complete))
                .collect(),
            matured,
            covered: histories.iter().filter(|h| complete || h.covered).count(),
        })
    }

    /// From a file of `will_default` values: observed, matured and complete as it stands. A party that it does not name
    /// stays unlabelled.
    pub fn from_values(parties: usize, values: &[(usize, bool)]) -> Result<Self, LabelError> {
        let mut labels = vec![Label::Unlabelled; parties];
        let mut covered = 0;
        for (index, (party, will_default)) in values.iter().copied().enumerate() {
            let slot = labels.get_mut(party).ok_or(LabelError::UnknownParty {
                index,
                party,
                parties,
            })?;
            let label = if will_default {
                Label::Bad
            } else {
                Label::Good
            };
            if *slot == Label::Unlabelled {
                covered += 1;
                *slot = label;
            } else if *slot != label {
                return Err(LabelError::Contradiction { index, party });
            }
        }
        Ok(Self {
            labels,
            // Of no values there is nothing that could have matured.
            matured: covered > 0,
            covered,
        })
    }
}

impl History {
    fn label(&self, matured: bool, complete: bool) -> Label {
        if self.bad_before {
            Label::Excluded
        } else if !matured {
            Label::Unlabelled
        } else if self.bad_after {
            Label::Bad
        } else if self.worst_days_after > GOOD_UP_TO_DAYS {
            Label::Indeterminate
        } else if self.covered || complete {
            Label::Good
        } else {
            Label::Unlabelled
        }
    }
}

#[cfg(test)]
mod tests;
