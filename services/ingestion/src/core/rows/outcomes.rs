//! Rows of `outcomes`: `{party_id, will_default}` or an event `{party_id, kind, days_past_due, occurred_at}`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field};

use super::{Place, Places, Rows, finish_times, text, time_type};
use crate::core::fault::Fault;
use crate::core::value::Value;

pub(crate) const FIELDS: &[&str] = &[
    "party_id",
    "will_default",
    "kind",
    "days_past_due",
    "occurred_at",
    "batch_id",
];
/// What `kind` says of a row that has `will_default`.
const WILL_DEFAULT: &str = "will_default";
const LATE_PAYMENT: &str = "late_payment";
const EVENTS: &[&str] = &[
    LATE_PAYMENT,
    "write_off",
    "collections",
    "insolvency",
    "restructuring",
    "paid",
];

pub(super) fn columns() -> Vec<Field> {
    vec![
        text("party_id", false),
        text("kind", false),
        Field::new("will_default", DataType::Boolean, true),
        Field::new("days_past_due", DataType::Int32, true),
        Field::new("occurred_at", time_type(), true),
        text("batch_id", true),
    ]
}

#[derive(Debug, Default)]
pub(super) struct Outcomes {
    places: Places,
    party_id: StringBuilder,
    kind: StringBuilder,
    will_default: BooleanBuilder,
    days_past_due: Int32Builder,
    occurred_at: TimestampMicrosecondBuilder,
    batch_id: StringBuilder,
}

impl Rows for Outcomes {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault> {
        let party_id = values[0].required_party(FIELDS[0])?;
        let will_default = values[1].flag(FIELDS[1])?;
        let days_past_due = values[3].days(FIELDS[3])?;
        let occurred_at = values[4].time(FIELDS[4])?;
        let batch_id = values[5].text(FIELDS[5])?;
        let kind = match will_default {
            Some(_) if values[2].is_missing() => WILL_DEFAULT,
            Some(_) => values[2].one_of(FIELDS[2], &[WILL_DEFAULT])?,
            None if values[2].is_missing() => {
                let reason = "the record has neither will_default nor the kind of an event";
                return Err(Fault::of(FIELDS[2], "MISSING_FIELD", reason));
            }
            None => values[2].one_of(FIELDS[2], EVENTS)?,
        };
        if kind != WILL_DEFAULT {
            values[4].required_time(FIELDS[4])?;
        }
        if kind == LATE_PAYMENT && days_past_due.is_none() {
            let reason = "a late_payment says how many days past due it is";
            return Err(Fault::of(FIELDS[3], "MISSING_FIELD", reason));
        }

        self.places.push(place);
        self.party_id.append_value(party_id);
        self.kind.append_value(kind);
        self.will_default.append_option(will_default);
        self.days_past_due.append_option(days_past_due);
        self.occurred_at.append_option(occurred_at);
        self.batch_id.append_option(batch_id);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns = self.places.finish().to_vec();
        columns.push(Arc::new(self.party_id.finish()));
        columns.push(Arc::new(self.kind.finish()));
        columns.push(Arc::new(self.will_default.finish()));
        columns.push(Arc::new(self.days_past_due.finish()));
        columns.push(finish_times(&mut self.occurred_at));
        columns.push(Arc::new(self.batch_id.finish()));
        columns
    }
}
