//! What is noticed while accepted rows pass by on their way to the lake.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};

use crate::core::table::Table;

/// Types of party that scoring knows by name; others are kept, and score as "other".
const PARTY_TYPES: [&str; 7] = [
    "supplier",
    "manufacturer",
    "distributor",
    "retailer",
    "customer",
    "individual",
    "business",
];
/// More currencies than this are not told apart: two are as wrong as two hundred.
const MOST_CURRENCIES: usize = 20;

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) currencies: BTreeSet<String>,
    pub(super) unknown_party_types: u64,
}

impl Seen {
    pub(super) fn look(&mut self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Parties => {
                let types = batch
                    .column_by_name("party_type")
                    .map(|c| c.as_string::<i32>());
                let unknown = |name: &str| {
                    !PARTY_TYPES
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(name))
                };
                let count = types
                    .into_iter()
                    .flatten()
                    .flatten()
                    .filter(|name| unknown(name))
                    .count();
                self.unknown_party_types += count as u64;
            }
            Table::Accounts | Table::Transactions => self.currencies_of(batch),
            Table::Relationships | Table::Outcomes => {}
        }
    }

    fn currencies_of(&mut self, batch: &RecordBatch) {
        let Some(column) = batch.column_by_name("currency") else {
            return;
        };
        let mut last = "";
        for currency in column.as_string::<i32>().iter().flatten() {
            if currency != last {
                last = currency;
                if self.currencies.len() < MOST_CURRENCIES && !self.currencies.contains(currency) {
                    self.currencies.insert(currency.to_owned());
                }
            }
        }
    }
}
