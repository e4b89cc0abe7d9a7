//! Accounts: one for each party, a second for some.

use crate::{
    batch::Batch,
    draw::{Draws, Stream},
    error::SyntheticError,
    population::{Party, Population},
    rows::{Id, Rows},
    spec::Spec,
};

use super::{CURRENCY, account_id, party_id};

const COLUMNS: [&str; 5] = [
    "account_id",
    "party_id",
    "account_type",
    "currency",
    "balance",
];
const TYPES: [(&str, f64); 4] = [
    ("current", 0.6),
    ("savings", 0.2),
    ("business", 0.15),
    ("loan", 0.05),
];
const SECOND_ACCOUNT: f64 = 0.15;
/// The median balance is that of so many transactions.
const BALANCE_TRANSACTIONS: f64 = 12.0;
/// Of those who pay late, the part whose account is overdrawn.
const OVERDRAWN_IF_LATE: f64 = 0.35;

pub(crate) fn write(
    batch: &mut Batch<'_>,
    spec: &Spec,
    population: &Population,
) -> Result<u64, SyntheticError> {
    let mut draws = Draws::new(spec.seed, Stream::Accounts);
    batch.table("accounts", &COLUMNS, |rows| {
        for (index, party) in population.numbered() {
            let first = account_id(population, index);
            account(rows, &mut draws, party, first, party_id(population, index))?;
            if draws.chance(SECOND_ACCOUNT) {
                account(
                    rows,
                    &mut draws,
                    party,
                    Id {
                        suffix: "-2",
                        ..first
                    },
                    party_id(population, index),
                )?;
            }
        }
        Ok(())
    })
}

fn account(
    rows: &mut Rows<'_>,
    draws: &mut Draws,
    party: &Party,
    id: Id,
    owner: Id,
) -> Result<(), SyntheticError> {
    rows.id("account_id", id);
    rows.id("party_id", owner);
    rows.text("account_type", draws.weighted(&TYPES));
    rows.text("currency", CURRENCY);
    rows.amount("balance", balance(draws, party));
    rows.end()
}

/// In ten-thousandths, of whole cents; negative where the account is overdrawn, which the risky are more often.
fn balance(draws: &mut Draws, party: &Party) -> i64 {
    let size = party.kind.facts().amount
        * BALANCE_TRANSACTIONS
        * libm::exp(0.9 * draws.normal() - 0.3 * party.risk());
    let cents = (size * 100.0) as i64;
    let overdrawn = draws.chance(party.tier().late * OVERDRAWN_IF_LATE);
    // A tenth of the usual size is what a bank lets happen.
    if overdrawn {
        cents / 10 * -100
    } else {
        cents * 100
    }
}
