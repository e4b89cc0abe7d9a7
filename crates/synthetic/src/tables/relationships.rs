//! Relationships: the network's edges, in the order of their sellers.

use crate::{
    batch::Batch,
    draw::{Draws, Stream},
    error::SyntheticError,
    network::Network,
    population::Population,
    rows::Id,
    spec::Spec,
};

use super::party_id;

const COLUMNS: [&str; 5] = [
    "relationship_id",
    "from_party_id",
    "to_party_id",
    "relationship_type",
    "established_date",
];
/// Of some relationships nobody knows since when they exist.
const DATE_UNKNOWN: f64 = 0.04;

pub(crate) fn write(
    batch: &mut Batch<'_>,
    spec: &Spec,
    population: &Population,
    network: &Network,
) -> Result<u64, SyntheticError> {
    let mut draws = Draws::new(spec.seed, Stream::Relationships);
    let mut number = 0;
    batch.table("relationships", &COLUMNS, |rows| {
        for (index, seller) in population.numbered() {
            for &customer in network.customers(index) {
                number += 1;
                rows.id(
                    "relationship_id",
                    Id {
                        prefix: "REL-",
                        number,
                        width: 6,
                        suffix: "",
                    },
                );
                rows.id("from_party_id", party_id(population, index));
                rows.id("to_party_id", party_id(population, customer));
                rows.text("relationship_type", seller.kind.facts().relationship);
                if draws.chance(DATE_UNKNOWN) {
                    rows.absent("established_date");
                } else {
                    // Not before both exist.
                    let younger = seller
                        .age_seconds
                        .min(population.parties[customer as usize].age_seconds);
                    let ago = draws.below(u64::from(younger)) as i64;
                    rows.time("established_date", spec.as_of_seconds() - ago);
                }
                rows.end()?;
            }
        }
        Ok(())
    })
}
