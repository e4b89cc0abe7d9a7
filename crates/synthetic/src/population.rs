//! Who is in the batch: each party's kind, hidden risk and age, 12 bytes per party.

use crate::{
    draw::{Draws, Stream},
    party::{KIND_SHARES, KINDS, Kind, Tier},
    spec::Spec,
};

pub(crate) const DAY_SECONDS: f64 = 86_400.0;
const YEAR_SECONDS: f64 = 365.25 * DAY_SECONDS;
const OLDEST_YEARS: f64 = 45.0;
const YOUNGEST_YEARS: f64 = 0.05;
const MEDIAN_AGE_YEARS: f64 = 5.5;
/// Digits of a party id at least, so that batches of ordinary size share their ids.
const PARTY_DIGITS: usize = 5;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Party {
    /// Standard normal over the population; higher is worse. `f32` halves what a big batch keeps.
    risk: f32,
    pub(crate) age_seconds: u32,
    pub(crate) kind: Kind,
    pub(crate) isolated: bool,
}

impl Party {
    pub(crate) fn risk(&self) -> f64 {
        f64::from(self.risk)
    }

    pub(crate) fn tier(&self) -> &'static Tier {
        Tier::of(self.risk())
    }
}

#[derive(Debug)]
pub(crate) struct Population {
    pub(crate) parties: Vec<Party>,
    /// Party ids are padded to one width, so that their byte order is the order of generation.
    pub(crate) id_width: usize,
}

impl Population {
    pub(crate) fn draw(spec: &Spec) -> Self {
        let mut draws = Draws::new(spec.seed, Stream::Population);
        let parties = (0..spec.parties)
            .map(|index| draw_party(&mut draws, index))
            .collect();
        Self {
            parties,
            id_width: PARTY_DIGITS.max(spec.parties.to_string().len()),
        }
    }

    /// The parties with their index, by which the network names them.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Party)> {
        (0..).zip(&self.parties)
    }
}

fn draw_party(draws: &mut Draws, index: u64) -> Party {
    // Every kind appears in any batch of seven parties or more.
    let kind = match KINDS.get(index as usize) {
        Some(&kind) => kind,
        None => draws.weighted(&KIND_SHARES),
    };
    let risk = draws.normal() + kind.facts().risk_shift;
    let years = MEDIAN_AGE_YEARS * libm::exp(0.75 * draws.normal() - 0.35 * risk);
    Party {
        risk: risk as f32,
        age_seconds: (years.clamp(YOUNGEST_YEARS, OLDEST_YEARS) * YEAR_SECONDS) as u32,
        kind,
        isolated: draws.chance(Tier::of(risk).isolated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_have_about_their_shares() {
        let population = Population::draw(&Spec::new("B", 20_000, 1));
        let poor = population
            .parties
            .iter()
            .filter(|party| party.tier() == Tier::of(9.0))
            .count();
        let excellent = population
            .parties
            .iter()
            .filter(|party| party.tier() == Tier::of(-9.0))
            .count();
        assert!((2_600..3_600).contains(&poor), "{poor}");
        assert!((2_600..3_600).contains(&excellent), "{excellent}");
    }

    #[test]
    fn a_party_takes_twelve_bytes() {
        assert_eq!(size_of::<Party>(), 12);
    }
}
