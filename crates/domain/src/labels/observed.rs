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

    /// From outcome events. A party that was already in default at t0 is excluded whether or not the window has passed:
    /// no later event could make it a row to learn from.
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
        let end = t0.saturating_add(policy.window_micros());
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
            if at > cut {
                continue;
            }
            history.covered |= event.origin == Origin::Feed;
            if (start..=t0).contains(&at) {
                history.bad_before |= event.is_default();
            } else if at > t0 && at <= end {
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
            matured: true,
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
mod tests {
    use super::super::DAY_MICROS;
    use super::*;
    use OutcomeKind::{Insolvency, LatePayment, Paid, WriteOff};

    /// Days relative to t0.
    fn event(kind: OutcomeKind, days_past_due: Option<i32>, day: i64) -> OutcomeEvent {
        OutcomeEvent {
            party: 0,
            kind,
            days_past_due,
            occurred_at_micros: day * DAY_MICROS,
            origin: Origin::Feed,
        }
    }

    fn observe(cut_day: i64, complete: bool, events: &[OutcomeEvent]) -> Label {
        let observation = Observation {
            t0_micros: 0,
            data_cut_micros: cut_day * DAY_MICROS,
            complete,
        };
        Observed::from_events(&LabelPolicy::default(), observation, 1, events)
            .unwrap()
            .labels[0]
    }

    fn label(events: &[OutcomeEvent]) -> Label {
        observe(180, false, events)
    }

    #[test]
    fn days_past_due_separate_good_indeterminate_and_bad() {
        for (days, expected) in [
            (0, Label::Good),
            (30, Label::Good),
            (31, Label::Indeterminate),
            (90, Label::Indeterminate),
            (91, Label::Bad),
        ] {
            assert_eq!(label(&[event(LatePayment, Some(days), 10)]), expected);
            assert_eq!(label(&[event(Paid, Some(days), 10)]), expected);
        }
        assert_eq!(label(&[event(WriteOff, None, 10)]), Label::Bad);
    }

    #[test]
    fn window_opens_after_t0_and_closes_with_its_last_instant() {
        assert_eq!(label(&[event(Insolvency, None, 0)]), Label::Excluded);
        assert_eq!(label(&[event(Insolvency, None, -180)]), Label::Excluded);
        assert_eq!(label(&[event(Insolvency, None, -181)]), Label::Good);
        assert_eq!(label(&[event(Insolvency, None, 180)]), Label::Bad);
        let mut just_after = event(Insolvency, None, 0);
        just_after.occurred_at_micros = 1;
        assert_eq!(label(&[just_after]), Label::Bad);
        let mut just_late = event(Insolvency, None, 180);
        just_late.occurred_at_micros += 1;
        let paid = event(Paid, None, 1);
        assert_eq!(observe(400, false, &[just_late, paid]), Label::Good);
    }

    #[test]
    fn nothing_is_said_before_the_window_has_passed() {
        let bad = event(WriteOff, None, 10);
        assert_eq!(observe(179, true, &[bad]), Label::Unlabelled);
        assert_eq!(observe(179, true, &[]), Label::Unlabelled);
        assert_eq!(observe(180, true, &[]), Label::Good);
        assert_eq!(
            observe(179, true, &[event(WriteOff, None, -1)]),
            Label::Excluded
        );
    }

    #[test]
    fn silence_is_good_only_from_a_feed_that_covers_the_party() {
        assert_eq!(label(&[]), Label::Unlabelled);
        assert_eq!(label(&[event(Paid, None, 10)]), Label::Good);
        let transaction = |days| OutcomeEvent::of_transaction(0, days, DAY_MICROS);
        assert_eq!(label(&[transaction(0)]), Label::Unlabelled);
        assert_eq!(label(&[transaction(31)]), Label::Indeterminate);
        assert_eq!(label(&[transaction(91)]), Label::Bad);
    }

    #[test]
    fn events_after_the_data_cut_are_not_known() {
        let observed = observe(180, false, &[event(Paid, None, 181)]);
        assert_eq!(observed, Label::Unlabelled);
    }

    #[test]
    fn faulty_events_are_refused_by_position() {
        let observation = Observation {
            t0_micros: 0,
            data_cut_micros: 0,
            complete: false,
        };
        let refuse = |event| {
            let policy = LabelPolicy::default();
            Observed::from_events(&policy, observation, 1, &[event]).unwrap_err()
        };
        let vague = event(LatePayment, None, 1);
        assert_eq!(refuse(vague), LabelError::NoDaysPastDue { index: 0 });
        let mut stray = event(Paid, None, 1);
        stray.party = 1;
        assert_eq!(refuse(stray).reason(), "LABEL_UNKNOWN_PARTY");
    }

    #[test]
    fn values_count_as_observed_and_matured() {
        let observed = Observed::from_values(3, &[(0, true), (2, false), (0, true)]).unwrap();
        assert_eq!(
            observed.labels,
            [Label::Bad, Label::Unlabelled, Label::Good]
        );
        assert!(observed.matured);
        assert_eq!(observed.covered, 2);
        let clash = Observed::from_values(1, &[(0, true), (0, false)]).unwrap_err();
        assert_eq!(clash, LabelError::Contradiction { index: 1, party: 0 });
    }
}
