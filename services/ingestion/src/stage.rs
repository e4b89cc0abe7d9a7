//! Between reading and relating: typed rows lie in temporary Arrow files, their party ids replaced by small numbers, so
//! that SQL joins integers and memory stays bounded.

pub(crate) mod counts;
pub(crate) mod error;
pub(crate) mod ids;
pub(crate) mod rejects;
pub(crate) mod spool;
pub(crate) mod stager;
pub(crate) mod table;

use crate::core::table::Table;

/// A column of a table that names a party.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    /// As documents call it.
    pub(crate) field: &'static str,
    /// Staged: the number that the id was given when it was first seen.
    pub(crate) seen: &'static str,
    /// In SQL: the ordinal of the party, null when the batch has no such party.
    pub(crate) ordinal: &'static str,
    /// Whether the id itself is staged too.
    pub(crate) keeps_text: bool,
}

const fn reference(field: &'static str, seen: &'static str, ordinal: &'static str) -> Reference {
    Reference {
        field,
        seen,
        ordinal,
        keeps_text: false,
    }
}

const PARTY: Reference = reference("party_id", "party_ref", "party_ord");
const COUNTERPARTY: Reference =
    reference("counterparty_id", "counterparty_ref", "counterparty_ord");
const FROM: Reference = reference("from_party_id", "from_ref", "from_ord");
const TO: Reference = reference("to_party_id", "to_ref", "to_ord");

const OWN: &[Reference] = &[Reference {
    keeps_text: true,
    ..PARTY
}];

pub(crate) const fn references(table: Table) -> &'static [Reference] {
    match table {
        Table::Parties | Table::Outcomes => OWN,
        Table::Accounts => const { &[PARTY] },
        Table::Transactions => const { &[PARTY, COUNTERPARTY] },
        Table::Relationships => const { &[FROM, TO] },
    }
}
