//! Rows of `relationships`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::Field;

use super::{Place, Places, Rows, finish_times, text, time_type};
use crate::core::fault::Fault;
use crate::core::value::Value;

pub(crate) const FIELDS: &[&str] = &[
    "relationship_id",
    "from_party_id",
    "to_party_id",
    "relationship_type",
    "established_date",
];
const TYPES: &[&str] = &[
    "supplies_to",
    "manufactures_for",
    "distributes_for",
    "sells_to",
];

pub(super) fn columns() -> Vec<Field> {
    vec![
        text("relationship_id", true),
        text("from_party_id", false),
        text("to_party_id", false),
        text("relationship_type", false),
        Field::new("established_date", time_type(), true),
    ]
}

#[derive(Debug, Default)]
pub(super) struct Relationships {
    places: Places,
    relationship_id: StringBuilder,
    from_party_id: StringBuilder,
    to_party_id: StringBuilder,
    relationship_type: StringBuilder,
    established_date: TimestampMicrosecondBuilder,
}

impl Rows for Relationships {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault> {
        let relationship_id = values[0].text(FIELDS[0])?;
        let from_party_id = values[1].required_party(FIELDS[1])?;
        let to_party_id = values[2].required_party(FIELDS[2])?;
        let relationship_type = values[3].one_of(FIELDS[3], TYPES)?;
        let established_date = values[4].time(FIELDS[4])?;

        self.places.push(place);
        self.relationship_id.append_option(relationship_id);
        self.from_party_id.append_value(from_party_id);
        self.to_party_id.append_value(to_party_id);
        self.relationship_type.append_value(relationship_type);
        self.established_date.append_option(established_date);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns = self.places.finish().to_vec();
        columns.push(Arc::new(self.relationship_id.finish()));
        columns.push(Arc::new(self.from_party_id.finish()));
        columns.push(Arc::new(self.to_party_id.finish()));
        columns.push(Arc::new(self.relationship_type.finish()));
        columns.push(finish_times(&mut self.established_date));
        columns
    }
}
