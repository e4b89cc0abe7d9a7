//! Parties: the riskier, the less of its KYC data is there.

use crate::{
    batch::Batch,
    draw::{Draws, Stream},
    error::SyntheticError,
    names,
    party::Kind,
    population::{Party, Population},
    rows::{Id, Rows},
    spec::Spec,
};

use super::party_id;

const COLUMNS: [&str; 11] = [
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

pub(crate) fn write(
    batch: &mut Batch<'_>,
    spec: &Spec,
    population: &Population,
) -> Result<u64, SyntheticError> {
    let mut draws = Draws::new(spec.seed, Stream::Parties);
    let mut text = String::new();
    batch.table("parties", &COLUMNS, |rows| {
        for (index, party) in population.numbered() {
            let id = party_id(population, index);
            rows.id("party_id", id);
            names::party(&mut draws, party.kind, &mut text);
            rows.text("name", &text);
            rows.text("party_type", party.kind.facts().name);
            rows.whole(
                "kyc_verified",
                u64::from(draws.chance(party.tier().kyc_verified)),
            );
            registers(rows, &mut draws, party);
            contact(rows, &mut draws, party, id, &mut text);
            rows.time(
                "created_at",
                spec.as_of_seconds() - i64::from(party.age_seconds),
            );
            rows.end()?;
        }
        Ok(())
    })
}

fn registers(rows: &mut Rows<'_>, draws: &mut Draws, party: &Party) {
    let tier = party.tier();
    if draws.chance(tier.tax_id) {
        rows.id("tax_id", number("TAX-", draws));
    } else {
        rows.absent("tax_id");
    }
    // People stand in no company register.
    if party.kind != Kind::Individual && draws.chance(tier.registration_number) {
        rows.id("registration_number", number("REG-", draws));
    } else {
        rows.absent("registration_number");
    }
}

fn contact(rows: &mut Rows<'_>, draws: &mut Draws, party: &Party, id: Id, text: &mut String) {
    let known = party.tier().contact_field;
    spelled_if_known("contact_person", rows, draws, known, text, names::person);
    if draws.chance(known) {
        rows.id(
            "email",
            Id {
                prefix: "contact.p",
                suffix: "@example.com",
                ..id
            },
        );
    } else {
        rows.absent("email");
    }
    spelled_if_known("phone", rows, draws, known, text, names::phone);
    spelled_if_known("address", rows, draws, known, text, names::address);
}

fn spelled_if_known(
    column: &str,
    rows: &mut Rows<'_>,
    draws: &mut Draws,
    known: f64,
    text: &mut String,
    spell: fn(&mut Draws, &mut String),
) {
    if draws.chance(known) {
        spell(draws, text);
        rows.text(column, text);
    } else {
        rows.absent(column);
    }
}

fn number(prefix: &'static str, draws: &mut Draws) -> Id {
    Id {
        prefix,
        number: draws.below(1_000_000_000),
        width: 9,
        suffix: "",
    }
}
