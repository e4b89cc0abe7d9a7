//! Who sells to whom: a tiered supply chain grown by preferential attachment, so that it has hubs, with some isolated
//! parties. Edges are kept as compressed rows (4 bytes each); transactions take their counterparties from them.

use crate::{
    draw::{Draws, Stream, logistic},
    party::{KINDS, Kind},
    population::{Party, Population},
    spec::Spec,
};

const NOBODY: u32 = u32::MAX;
/// A seller copies the choice of an earlier one with this probability: popular buyers grow more popular.
const COPY: f64 = 0.5;
const COPY_TRIES: usize = 8;
const BUYER_TRIES: usize = 6;
/// No party sells to more; keeps the look for duplicates, which walks a seller's buyers, cheap.
const MOST_CUSTOMERS: u64 = 1_000;
/// How much risk lowers the number of customers, and the spread of that number among equals (both of its logarithm).
const RISK_SLOPE: f64 = 0.35;
const SPREAD: f64 = 0.9;

#[derive(Debug)]
pub(crate) struct Network {
    /// Party i's customers are `customers[starts[i]..starts[i + 1]]`, without repeats.
    starts: Vec<usize>,
    customers: Vec<u32>,
    /// The latest supplier of each party, or NOBODY.
    suppliers: Vec<u32>,
}

impl Network {
    pub(crate) fn draw(spec: &Spec, population: &Population) -> Self {
        let parties = &population.parties;
        let total: f64 = parties.iter().map(attraction).sum();
        let mean = if total > 0.0 {
            spec.edges_per_party * parties.len() as f64 / total
        } else {
            0.0
        };

        let mut growth = Growth::new(spec, population);
        for (index, party) in population.numbered() {
            growth.network.starts.push(growth.network.customers.len());
            growth.sell(index, party, mean * attraction(party));
        }
        growth.network.starts.push(growth.network.customers.len());
        growth.network
    }

    pub(crate) fn customers(&self, index: u32) -> &[u32] {
        let index = index as usize;
        &self.customers[self.starts[index]..self.starts[index + 1]]
    }

    pub(crate) fn supplier(&self, index: u32) -> Option<u32> {
        Some(self.suppliers[index as usize]).filter(|&supplier| supplier != NOBODY)
    }
}

/// The expected number of customers, up to a common factor.
fn attraction(party: &Party) -> f64 {
    if party.isolated {
        0.0
    } else {
        party.kind.facts().reach * libm::exp(-RISK_SLOPE * party.risk())
    }
}

struct Growth<'a> {
    draws: Draws,
    parties: &'a [Party],
    /// The connected parties of each kind, by the kind's number.
    pools: [Vec<u32>; KINDS.len()],
    network: Network,
}

impl<'a> Growth<'a> {
    fn new(spec: &Spec, population: &'a Population) -> Self {
        let mut pools: [Vec<u32>; KINDS.len()] = Default::default();
        for (index, party) in population.numbered().filter(|(_, party)| !party.isolated) {
            pools[party.kind as usize].push(index);
        }
        let parties = &population.parties;
        Self {
            draws: Draws::new(spec.seed, Stream::Network),
            parties,
            pools,
            network: Network {
                starts: Vec::with_capacity(parties.len() + 1),
                customers: Vec::with_capacity(
                    (parties.len() as f64 * spec.edges_per_party * 1.05) as usize,
                ),
                suppliers: vec![NOBODY; parties.len()],
            },
        }
    }

    fn sell(&mut self, seller: u32, party: &Party, mean: f64) {
        if mean <= 0.0 {
            return;
        }
        let luck = libm::exp(SPREAD * self.draws.normal() - SPREAD * SPREAD / 2.0);
        let wanted = self.draws.round(mean * luck).min(MOST_CUSTOMERS);
        let first = self.network.customers.len();
        for _ in 0..wanted {
            let kind = self.draws.weighted(party.kind.facts().sells_to);
            for _ in 0..BUYER_TRIES {
                let Some(buyer) = self.buyer(kind) else { break };
                if buyer != seller && !self.network.customers[first..].contains(&buyer) {
                    self.network.customers.push(buyer);
                    self.network.suppliers[buyer as usize] = seller;
                    break;
                }
            }
        }
    }

    /// A buyer of the kind: one that somebody sells to already, or anyone, the riskier the less likely.
    fn buyer(&mut self, kind: Kind) -> Option<u32> {
        if self.draws.chance(COPY) {
            for _ in 0..COPY_TRIES.min(self.network.customers.len()) {
                let popular = self.draws.pick(&self.network.customers);
                if self.parties[popular as usize].kind == kind {
                    return Some(popular);
                }
            }
        }
        let pool = &self.pools[kind as usize];
        if pool.is_empty() {
            return None;
        }
        let candidate = self.draws.pick(pool);
        let welcome = logistic(1.0 - 0.8 * self.parties[candidate as usize].risk());
        Some(if self.draws.chance(welcome) {
            candidate
        } else {
            self.draws.pick(pool)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(parties: u64) -> (Population, Network) {
        let spec = Spec::new("B", parties, 3);
        let population = Population::draw(&spec);
        let network = Network::draw(&spec, &population);
        (population, network)
    }

    #[test]
    fn nobody_sells_to_itself_or_twice_to_another_and_the_isolated_have_nobody() {
        let (population, network) = drawn(3_000);
        for (index, party) in population.numbered() {
            let mut customers = network.customers(index).to_vec();
            assert!(!customers.contains(&index));
            assert!(!party.isolated || (customers.is_empty() && network.supplier(index).is_none()));
            customers.sort_unstable();
            let drawn = customers.len();
            customers.dedup();
            assert_eq!(customers.len(), drawn);
        }
    }

    #[test]
    fn the_mean_is_met_and_hubs_emerge() {
        let (population, network) = drawn(10_000);
        let edges = network.customers.len();
        assert!((28_000..31_000).contains(&edges), "{edges}");
        let mut suppliers = vec![0_u32; population.parties.len()];
        for &customer in &network.customers {
            suppliers[customer as usize] += 1;
        }
        let busiest = suppliers.iter().copied().max().unwrap_or_default();
        assert!(
            busiest > 30,
            "the busiest party has {busiest} suppliers, the mean is 3"
        );
        assert!(population.parties.iter().any(|party| party.isolated));
    }

    #[test]
    fn a_single_party_stays_alone() {
        let (_, network) = drawn(1);
        assert!(network.customers(0).is_empty());
    }
}
