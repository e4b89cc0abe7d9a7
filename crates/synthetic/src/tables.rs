//! The four tables, each from its own stream of draws and in the order of its ids.

pub(crate) mod accounts;
pub(crate) mod parties;
pub(crate) mod relationships;
pub(crate) mod transactions;

use crate::{population::Population, rows::Id};

/// A batch has one: several would need a rate that it does not carry.
const CURRENCY: &str = "USD";

pub(crate) fn party_id(population: &Population, index: u32) -> Id {
    Id {
        prefix: "P-",
        number: u64::from(index) + 1,
        width: population.id_width,
        suffix: "",
    }
}

/// A party's first account; every party has it.
fn account_id(population: &Population, index: u32) -> Id {
    Id {
        prefix: "ACC-P-",
        ..party_id(population, index)
    }
}
