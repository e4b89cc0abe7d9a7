//! Rows of `parties`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field};

use super::{Place, Places, Rows, finish_times, text, time_type};
use crate::core::fault::Fault;
use crate::core::value::Value;

pub(crate) const FIELDS: &[&str] = &[
    "party_id",
    "name",
    "party_type",
    "kyc_verified",
    "tax_id",
    "registration_number",
    "contact_person",
    "email",
    "phone",
    "address",
    "created_at",
];
/// `tax_id` to `address`: text that may be absent.
const OPTIONAL: std::ops::Range<usize> = 4..10;

pub(super) fn columns() -> Vec<Field> {
    let mut fields = vec![
        text("party_id", false),
        text("name", false),
        text("party_type", false),
        Field::new("kyc_verified", DataType::Boolean, false),
    ];
    fields.extend(FIELDS[OPTIONAL].iter().map(|name| text(name, true)));
    fields.push(Field::new("created_at", time_type(), false));
    fields
}

#[derive(Debug, Default)]
pub(super) struct Parties {
    places: Places,
    party_id: StringBuilder,
    name: StringBuilder,
    party_type: StringBuilder,
    kyc_verified: BooleanBuilder,
    optional: [StringBuilder; 6],
    created_at: TimestampMicrosecondBuilder,
}

impl Rows for Parties {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault> {
        let party_id = values[0].required_party(FIELDS[0])?;
        let name = values[1].required_text(FIELDS[1])?;
        let party_type = values[2].required_text(FIELDS[2])?;
        let kyc_verified = values[3].flag(FIELDS[3])?.unwrap_or(false);
        let mut optional = [None; 6];
        for (place, index) in optional.iter_mut().zip(OPTIONAL) {
            *place = values[index].text(FIELDS[index])?;
        }
        let created_at = values[10].required_time(FIELDS[10])?;

        self.places.push(place);
        self.party_id.append_value(party_id);
        self.name.append_value(name);
        self.party_type.append_value(party_type);
        self.kyc_verified.append_value(kyc_verified);
        for (builder, value) in self.optional.iter_mut().zip(optional) {
            builder.append_option(value);
        }
        self.created_at.append_value(created_at);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns = self.places.finish().to_vec();
        columns.push(Arc::new(self.party_id.finish()));
        columns.push(Arc::new(self.name.finish()));
        columns.push(Arc::new(self.party_type.finish()));
        columns.push(Arc::new(self.kyc_verified.finish()));
        for builder in &mut self.optional {
            columns.push(Arc::new(builder.finish()));
        }
        columns.push(finish_times(&mut self.created_at));
        columns
    }
}
