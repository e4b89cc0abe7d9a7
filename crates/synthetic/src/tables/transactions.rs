//! Transactions: how many, how regular, how large and how recent follow from the party's tier and kind.

use crate::{
    batch::Batch,
    draw::{Draws, Stream},
    error::SyntheticError,
    network::Network,
    party::Tier,
    population::{DAY_SECONDS, Party, Population},
    rows::{Id, Rows},
    spec::Spec,
};

use super::{CURRENCY, account_id, party_id};

const COLUMNS: [&str; 10] = [
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
/// History covered: two months more than the six that features look at.
const HISTORY_DAYS: f64 = 240.0;
/// A burst's transactions lie within so many days of its middle.
const BURST_DAYS: f64 = 6.0;
const BURSTS: usize = 2;
/// How much risk lowers the number of transactions and their amounts, and the spreads among equals (of logarithms).
const COUNT_SLOPE: f64 = 0.35;
const COUNT_SPREAD: f64 = 0.65;
const AMOUNT_SLOPE: f64 = 0.2;
const AMOUNT_SPREAD: f64 = 0.7;
/// Parties without relationships trade little.
const ISOLATED_ACTIVITY: f64 = 0.25;
const INVOICE: f64 = 0.58;
/// Amounts to four decimals, as unit prices give them.
const FINE_AMOUNT: f64 = 0.01;
const DUE_DATE_KNOWN: f64 = 0.85;
const COUNTERPARTY_KNOWN: f64 = 0.92;
const REFERENCE_KNOWN: f64 = 0.95;

pub(crate) fn write(
    batch: &mut Batch<'_>,
    spec: &Spec,
    population: &Population,
    network: &Network,
) -> Result<u64, SyntheticError> {
    let mut draws = Draws::new(spec.seed, Stream::Transactions);
    let total: f64 = population.parties.iter().map(activity).sum();
    let mean = spec.transactions_per_party * population.parties.len() as f64 / total;
    let mut number = 0;
    batch.table("transactions", &COLUMNS, |rows| {
        for (index, party) in population.numbered() {
            let luck = libm::exp(COUNT_SPREAD * draws.normal() - COUNT_SPREAD * COUNT_SPREAD / 2.0);
            let count = draws.round(mean * activity(party) * luck);
            let habit = Habit::draw(&mut draws, party, count);
            let owner = Owner {
                index,
                population,
                network,
            };
            for sequence in 0..count {
                number += 1;
                let transaction = habit.transaction(&mut draws, sequence);
                owner.row(rows, &mut draws, number, &transaction, spec.as_of_seconds())?;
            }
        }
        Ok(())
    })
}

/// The expected number of transactions, up to a common factor.
fn activity(party: &Party) -> f64 {
    let connected = if party.isolated {
        ISOLATED_ACTIVITY
    } else {
        1.0
    };
    connected * libm::exp(-COUNT_SLOPE * party.risk())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Invoice,
    Payment,
    CreditNote,
}

struct Transaction {
    kind: Type,
    /// In ten-thousandths.
    amount: i64,
    /// Before the as-of.
    seconds_ago: i64,
    days_past_due: Option<u64>,
}

/// How one party trades.
struct Habit {
    tier: &'static Tier,
    amount: f64,
    count: f64,
    /// Seconds before the as-of between which it traded: `latest` is the smaller.
    latest: f64,
    earliest: f64,
    bursts: [f64; BURSTS],
}

impl Habit {
    fn draw(draws: &mut Draws, party: &Party, count: u64) -> Self {
        let tier = party.tier();
        let earliest = (HISTORY_DAYS * DAY_SECONDS).min(f64::from(party.age_seconds));
        // Exponential; 1 - unit is never zero.
        let silence = -tier.silent_days * DAY_SECONDS * libm::log(1.0 - draws.unit());
        let latest = silence.min(earliest * 0.9);
        let amount = party.kind.facts().amount
            * libm::exp(AMOUNT_SPREAD * draws.normal() - AMOUNT_SLOPE * party.risk());
        let bursts = [0; BURSTS].map(|_| latest + (earliest - latest) * draws.unit());
        Self {
            tier,
            amount,
            count: count as f64,
            latest,
            earliest,
            bursts,
        }
    }

    fn transaction(&self, draws: &mut Draws, sequence: u64) -> Transaction {
        let seconds_ago = self.seconds_ago(draws, sequence);
        let kind = self.kind(draws);
        let mut size = self.amount * libm::exp(self.tier.amount_spread * draws.normal());
        let mut sign = 1;
        if kind == Type::CreditNote {
            // Of a part of what was invoiced.
            size *= 0.05 + 0.5 * draws.unit();
            sign = -1;
        }
        let amount = sign * ten_thousandths(draws, size);
        let days_past_due = (kind == Type::Invoice && draws.chance(DUE_DATE_KNOWN)).then(|| {
            if draws.chance(self.tier.late) {
                1 + draws.below(self.tier.late_days)
            } else {
                0
            }
        });
        Transaction {
            kind,
            amount,
            seconds_ago,
            days_past_due,
        }
    }

    /// At its place in an even spread, or in one of the party's bursts.
    fn seconds_ago(&self, draws: &mut Draws, sequence: u64) -> i64 {
        let ago = if draws.chance(self.tier.burst) {
            draws.pick(&self.bursts) + BURST_DAYS * DAY_SECONDS * (draws.unit() - draws.unit())
        } else {
            let place = (sequence as f64 + draws.unit()) / self.count;
            self.latest + (self.earliest - self.latest) * place
        };
        ago.clamp(self.latest, self.earliest) as i64
    }

    fn kind(&self, draws: &mut Draws) -> Type {
        match draws.unit() {
            share if share < self.tier.credit_note => Type::CreditNote,
            share if share < self.tier.credit_note + INVOICE => Type::Invoice,
            _ => Type::Payment,
        }
    }
}

fn ten_thousandths(draws: &mut Draws, amount: f64) -> i64 {
    if draws.chance(FINE_AMOUNT) {
        return ((amount * 10_000.0) as i64).max(1);
    }
    ((amount * 100.0) as i64).max(1) * 100
}

/// The party whose transactions are being written.
struct Owner<'a> {
    index: u32,
    population: &'a Population,
    network: &'a Network,
}

impl Owner<'_> {
    fn row(
        &self,
        rows: &mut Rows<'_>,
        draws: &mut Draws,
        number: u64,
        transaction: &Transaction,
        as_of: i64,
    ) -> Result<(), SyntheticError> {
        let (name, prefix) = match transaction.kind {
            Type::Invoice => ("invoice", "INV-"),
            Type::Payment => ("payment", "PAY-"),
            Type::CreditNote => ("credit_note", "CRN-"),
        };
        rows.id(
            "txn_id",
            Id {
                prefix: "TXN-",
                number,
                width: 8,
                suffix: "",
            },
        );
        rows.id("party_id", party_id(self.population, self.index));
        match self.counterparty(draws, transaction.kind) {
            Some(other) => rows.id("counterparty_id", party_id(self.population, other)),
            None => rows.absent("counterparty_id"),
        }
        rows.id("account_id", account_id(self.population, self.index));
        rows.amount("amount", transaction.amount);
        rows.text("currency", CURRENCY);
        rows.text("txn_type", name);
        rows.time("ts", as_of - transaction.seconds_ago);
        if draws.chance(REFERENCE_KNOWN) {
            rows.id(
                "reference",
                Id {
                    prefix,
                    number,
                    width: 8,
                    suffix: "",
                },
            );
        } else {
            rows.absent("reference");
        }
        match transaction.days_past_due {
            Some(days) => rows.whole("days_past_due", days),
            None => rows.absent("days_past_due"),
        }
        rows.end()
    }

    /// Customers are invoiced and suppliers are paid, as far as the party has any.
    fn counterparty(&self, draws: &mut Draws, kind: Type) -> Option<u32> {
        if !draws.chance(COUNTERPARTY_KNOWN) {
            return None;
        }
        let supplier = self.network.supplier(self.index);
        let customers = self.network.customers(self.index);
        match (supplier, customers) {
            (Some(supplier), []) => Some(supplier),
            (None, []) => None,
            (Some(supplier), _) if kind == Type::Payment => Some(supplier),
            (_, customers) => Some(draws.pick(customers)),
        }
    }
}
