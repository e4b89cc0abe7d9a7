//! The `.sql` files, by what they are for.

use crate::core::table::Table;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! query {
    ($file:literal) => {
        Query {
            name: $file,
            text: include_str!(concat!("../sql/", $file)),
        }
    };
}

pub(crate) const CONTRADICTED: Query = query!("outcomes_contradicted.sql");
pub(crate) const REJECTED: Query = query!("rejected.sql");

/// The rows of a dataset, in its order.
pub(crate) const fn accepted(table: Table) -> Query {
    match table {
        Table::Parties => query!("parties.sql"),
        Table::Accounts => query!("accounts.sql"),
        Table::Transactions => query!("transactions.sql"),
        Table::Relationships => query!("relationships.sql"),
        Table::Outcomes => query!("outcomes.sql"),
    }
}

/// Places of records that a later one replaces. A batch has few, so that ranking only the ids seen twice costs next to
/// nothing, where ranking every id would cost more than reading it.
pub(crate) const fn superseded(table: Table) -> Query {
    match table {
        Table::Parties => query!("parties_superseded.sql"),
        Table::Accounts => query!("accounts_superseded.sql"),
        Table::Transactions => query!("transactions_superseded.sql"),
        Table::Relationships => query!("relationships_superseded.sql"),
        Table::Outcomes => query!("outcomes_superseded.sql"),
    }
}

/// Good records that are not among them, duplicates apart: place, code, field, number of an id.
pub(crate) const fn left_out(table: Table) -> Query {
    match table {
        Table::Parties => query!("parties_left_out.sql"),
        Table::Accounts => query!("accounts_left_out.sql"),
        Table::Transactions => query!("transactions_left_out.sql"),
        Table::Relationships => query!("relationships_left_out.sql"),
        Table::Outcomes => query!("outcomes_left_out.sql"),
    }
}

pub(crate) const fn staged(table: Table) -> &'static str {
    match table {
        Table::Parties => "staged_parties",
        Table::Accounts => "staged_accounts",
        Table::Transactions => "staged_transactions",
        Table::Relationships => "staged_relationships",
        Table::Outcomes => "staged_outcomes",
    }
}

/// The table of [`superseded`] in SQL.
pub(crate) const fn superseded_name(table: Table) -> &'static str {
    match table {
        Table::Parties => "superseded_parties",
        Table::Accounts => "superseded_accounts",
        Table::Transactions => "superseded_transactions",
        Table::Relationships => "superseded_relationships",
        Table::Outcomes => "superseded_outcomes",
    }
}
