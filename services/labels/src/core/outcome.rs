//! One outcome of a party as a feed tells it, checked.

use kycc_domain::labels::OutcomeKind;

/// Nobody is a century late.
const MAX_DAYS_PAST_DUE: i32 = 36_525;
const MAX_TEXT_BYTES: usize = 256;

/// An outcome that has passed its checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) party_id: String,
    pub(crate) kind: OutcomeKind,
    /// 0 where it does not apply.
    pub(crate) days_past_due: i32,
    pub(crate) occurred_at_micros: i64,
}

/// A field that is not acceptable, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

fn fault(field: &'static str, message: impl Into<String>) -> Fault {
    Fault {
        field,
        message: message.into(),
    }
}

impl Outcome {
    /// Refuses what would be misread later. `now_micros`: outcomes are of the past.
    pub(crate) fn check(self, now_micros: i64) -> Result<Self, Fault> {
        if self.party_id.trim().is_empty() {
            return Err(fault("party_id", "must name a party"));
        }
        if self.party_id.len() > MAX_TEXT_BYTES {
            return Err(fault(
                "party_id",
                format!("is longer than {MAX_TEXT_BYTES} bytes"),
            ));
        }
        if self.party_id.contains(char::is_control) {
            return Err(fault("party_id", "contains a control character"));
        }
        if !(0..=MAX_DAYS_PAST_DUE).contains(&self.days_past_due) {
            return Err(fault(
                "days_past_due",
                format!("must be from 0 to {MAX_DAYS_PAST_DUE}"),
            ));
        }
        if self.kind == OutcomeKind::LatePayment && self.days_past_due == 0 {
            return Err(fault(
                "days_past_due",
                "a late payment must say by how many days",
            ));
        }
        if self.occurred_at_micros > now_micros {
            return Err(fault("occurred_time", "lies in the future"));
        }
        Ok(self)
    }
}

/// Name of a kind in the store and in the lake.
pub(crate) fn kind_name(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::LatePayment => "late_payment",
        OutcomeKind::WriteOff => "write_off",
        OutcomeKind::Collections => "collections",
        OutcomeKind::Insolvency => "insolvency",
        OutcomeKind::Restructuring => "restructuring",
        OutcomeKind::Paid => "paid",
    }
}

/// The kind of that name; `None` for `will_default` and for names that nobody wrote.
pub(crate) fn kind_named(name: &str) -> Option<OutcomeKind> {
    use OutcomeKind::{Collections, Insolvency, LatePayment, Paid, Restructuring, WriteOff};
    [
        LatePayment,
        WriteOff,
        Collections,
        Insolvency,
        Restructuring,
        Paid,
    ]
    .into_iter()
    .find(|kind| kind_name(*kind) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        Outcome {
            party_id: "P-1".into(),
            kind: OutcomeKind::LatePayment,
            days_past_due: 91,
            occurred_at_micros: 10,
        }
    }

    #[test]
    fn faults_name_the_field() {
        let field = |outcome: Outcome| outcome.check(100).unwrap_err().field;
        assert_eq!(
            field(Outcome {
                party_id: " ".into(),
                ..outcome()
            }),
            "party_id"
        );
        assert_eq!(
            field(Outcome {
                party_id: "x".repeat(257),
                ..outcome()
            }),
            "party_id"
        );
        for control in ['\n', '\0', '\u{1b}', '\u{7f}', '\u{9b}'] {
            let party_id = format!("P{control}1");
            let faulty = Outcome {
                party_id,
                ..outcome()
            };
            assert_eq!(field(faulty), "party_id", "{control:?}");
        }
        assert_eq!(
            field(Outcome {
                days_past_due: -1,
                ..outcome()
            }),
            "days_past_due"
        );
        assert_eq!(
            field(Outcome {
                days_past_due: 0,
                ..outcome()
            }),
            "days_past_due"
        );
        assert_eq!(
            field(Outcome {
                occurred_at_micros: 101,
                ..outcome()
            }),
            "occurred_time"
        );

        assert_eq!(outcome().check(100), Ok(outcome()));
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for name in [
            "late_payment",
            "write_off",
            "collections",
            "insolvency",
            "restructuring",
            "paid",
        ] {
            assert_eq!(kind_named(name).map(kind_name), Some(name));
        }
        assert_eq!(kind_named("will_default"), None);
    }
}
