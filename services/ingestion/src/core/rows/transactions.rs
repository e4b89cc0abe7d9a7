//! Rows of `transactions`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Int32Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, Field};

use super::{Place, Places, Rows, amount_type, finish_times, id_hash, text, time_type};
use crate::core::fault::Fault;
use crate::core::value::Value;

pub(crate) const FIELDS: &[&str] = &[
    "txn_id",
    "party_id",
    "counterparty_id",
    "account_id",
    "amount",
    "currency",
    "txn_type",
    "ts",
    "reference",
    "days_past_due",
];
const TYPES: &[&str] = &["invoice", "payment", "credit_note"];

pub(super) fn columns() -> Vec<Field> {
    vec![
        Field::new("id_hash", DataType::UInt64, false),
        text("txn_id", false),
        text("party_id", false),
        text("counterparty_id", true),
        text("account_id", true),
        Field::new("amount", amount_type(), false),
        text("currency", true),
        text("txn_type", false),
        Field::new("ts", time_type(), false),
        text("reference", true),
        Field::new("days_past_due", DataType::Int32, true),
    ]
}

#[derive(Debug)]
pub(super) struct Transactions {
    places: Places,
    id_hash: UInt64Builder,
    txn_id: StringBuilder,
    party_id: StringBuilder,
    counterparty_id: StringBuilder,
    account_id: StringBuilder,
    amount: Decimal128Builder,
    currency: StringBuilder,
    txn_type: StringBuilder,
    ts: TimestampMicrosecondBuilder,
    reference: StringBuilder,
    days_past_due: Int32Builder,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            places: Places::default(),
            id_hash: UInt64Builder::new(),
            txn_id: StringBuilder::new(),
            party_id: StringBuilder::new(),
            counterparty_id: StringBuilder::new(),
            account_id: StringBuilder::new(),
            amount: Decimal128Builder::new().with_data_type(amount_type()),
            currency: StringBuilder::new(),
            txn_type: StringBuilder::new(),
            ts: TimestampMicrosecondBuilder::new(),
            reference: StringBuilder::new(),
            days_past_due: Int32Builder::new(),
        }
    }
}

impl Rows for Transactions {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault> {
        let txn_id = values[0].required_text(FIELDS[0])?;
        let party_id = values[1].required_party(FIELDS[1])?;
        let counterparty_id = values[2].party(FIELDS[2])?;
        let account_id = values[3].text(FIELDS[3])?;
        let amount = values[4].required_amount(FIELDS[4])?;
        let currency = values[5].text(FIELDS[5])?;
        let txn_type = values[6].one_of(FIELDS[6], TYPES)?;
        let ts = values[7].required_time(FIELDS[7])?;
        let reference = values[8].text(FIELDS[8])?;
        let days_past_due = values[9].days(FIELDS[9])?;

        self.places.push(place);
        self.id_hash.append_value(id_hash(txn_id));
        self.txn_id.append_value(txn_id);
        self.party_id.append_value(party_id);
        self.counterparty_id.append_option(counterparty_id);
        self.account_id.append_option(account_id);
        self.amount.append_value(i128::from(amount));
        self.currency.append_option(currency);
        self.txn_type.append_value(txn_type);
        self.ts.append_value(ts);
        self.reference.append_option(reference);
        self.days_past_due.append_option(days_past_due);
        Ok(())
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns = self.places.finish().to_vec();
        columns.push(Arc::new(self.id_hash.finish()));
        columns.push(Arc::new(self.txn_id.finish()));
        columns.push(Arc::new(self.party_id.finish()));
        columns.push(Arc::new(self.counterparty_id.finish()));
        columns.push(Arc::new(self.account_id.finish()));
        columns.push(Arc::new(self.amount.finish()));
        columns.push(Arc::new(self.currency.finish()));
        columns.push(Arc::new(self.txn_type.finish()));
        columns.push(finish_times(&mut self.ts));
        columns.push(Arc::new(self.reference.finish()));
        columns.push(Arc::new(self.days_past_due.finish()));
        columns
    }
}
