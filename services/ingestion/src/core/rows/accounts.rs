//! Rows of `accounts`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Builder, StringBuilder};
use arrow::datatypes::Field;

use super::{Place, Places, Rows, amount_type, text};
use crate::core::fault::Fault;
use crate::core::value::Value;

pub(crate) const FIELDS: &[&str] = &[
    "account_id",
    "party_id",
    "account_type",
    "currency",
    "balance",
];

pub(super) fn columns() -> Vec<Field> {
    vec![
        text("account_id", false),
        text("party_id", false),
        text("account_type", true),
        text("currency", true),
        Field::new("balance", amount_type(), true),
    ]
}

#[derive(Debug)]
pub(super) struct Accounts {
    places: Places,
    account_id: StringBuilder,
    party_id: StringBuilder,
    account_type: StringBuilder,
    currency: StringBuilder,
    balance: Decimal128Builder,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            places: Places::default(),
            account_id: StringBuilder::new(),
            party_id: StringBuilder::new(),
            account_type: StringBuilder::new(),
            currency: StringBuilder::new(),
            balance: Decimal128Builder::new().with_data_type(amount_type()),
        }
    }
}

impl Rows for Accounts {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault> {
        let account_id = values[0].required_text(FIELDS[0])?;
        let party_id = values[1].required_party(FIELDS[1])?;
        let account_type = values[2].text(FIELDS[2])?;
        let currency = values[3].text(FIELDS[3])?;
        let balance = values[4].amount(FIELDS[4])?;

        self.places.push(place);
        self.account_id.append_value(account_id);
        self.party_id.append_value(party_id);
        self.account_type.append_option(account_type);
        self.currency.append_option(currency);
        self.balance.append_option(balance.map(i128::from));
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns = self.places.finish().to_vec();
        columns.push(Arc::new(self.account_id.finish()));
        columns.push(Arc::new(self.party_id.finish()));
        columns.push(Arc::new(self.account_type.finish()));
        columns.push(Arc::new(self.currency.finish()));
        columns.push(Arc::new(self.balance.finish()));
        columns
    }
}
