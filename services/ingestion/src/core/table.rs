//! The tables of a batch and their fields, by the names that documents use.

use std::fmt;

/// A field that says how a party turned out. In a profile it is leakage.
pub(crate) const OUTCOME_FIELDS: [&str; 3] = ["will_default", "default_outcome", "ground_truth"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Parties,
    Accounts,
    Transactions,
    Relationships,
    /// What became of parties; arrives in a file of its own.
    Outcomes,
}

/// The tables of the batch itself.
pub(crate) const PROFILES: [Table; 4] = [
    Table::Parties,
    Table::Accounts,
    Table::Transactions,
    Table::Relationships,
];

impl Table {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Parties => "parties",
            Self::Accounts => "accounts",
            Self::Transactions => "transactions",
            Self::Relationships => "relationships",
            Self::Outcomes => "outcomes",
        }
    }

    /// The table of the batch that has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        PROFILES.into_iter().find(|table| table.name() == name)
    }

    /// Fields in the order of the constants of the modules in [`super::rows`].
    pub(crate) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Parties => super::rows::parties::FIELDS,
            Self::Accounts => super::rows::accounts::FIELDS,
            Self::Transactions => super::rows::transactions::FIELDS,
            Self::Relationships => super::rows::relationships::FIELDS,
            Self::Outcomes => super::rows::outcomes::FIELDS,
        }
    }

    /// Fields without which no record of the table is good.
    pub(crate) const fn required(self) -> &'static [&'static str] {
        match self {
            Self::Parties => &["party_id", "name", "party_type", "created_at"],
            Self::Accounts => &["account_id", "party_id"],
            Self::Transactions => &["txn_id", "party_id", "amount", "txn_type", "ts"],
            Self::Relationships => &["from_party_id", "to_party_id", "relationship_type"],
            Self::Outcomes => &["party_id"],
        }
    }

    pub(crate) fn field(self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| *field == name)
    }

    /// Whether a field of this name makes the input unfit: an outcome, where none belongs.
    pub(crate) fn leaks(self, name: &str) -> bool {
        self != Self::Outcomes && OUTCOME_FIELDS.contains(&name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_required_field_is_a_field() {
        for table in PROFILES.into_iter().chain([Table::Outcomes]) {
            for name in table.required() {
                assert!(table.field(name).is_some(), "{table}.{name}");
            }
        }
    }

    #[test]
    fn outcomes_belong_in_their_own_file_only() {
        assert!(Table::Parties.leaks("will_default"));
        assert!(!Table::Outcomes.leaks("will_default"));
        assert!(!Table::Parties.leaks("profile"));
    }
}
