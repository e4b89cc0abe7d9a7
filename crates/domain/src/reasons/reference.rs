//! The means that reasons compare with: over a whole population, and over those just at or above the cutoff.
//!
//! Sums run over fixed-size chunks, reduced in order, so the means do not depend on how many threads made the points.

use crate::card::{CompiledCard, ReferencePoints, ReferencePopulation, Scorecard};

/// "Just above the cutoff" reaches this many points.
pub const NEAR_CUTOFF_SPAN: i32 = 20;

/// Fewer parties than this make no mean: then as many, the nearest above the cutoff.
pub const NEAR_CUTOFF_MIN_PARTIES: usize = 50;

const CHUNK_ROWS: usize = 4096;

/// Mean points per factor, in card order, of a reference population.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceMeans {
    /// Method (a).
    pub population: Vec<f64>,
    /// Method (b); the population's when nobody reaches the cutoff.
    pub near_cutoff: Vec<f64>,
    pub parties: u64,
    pub near_cutoff_parties: u64,
}

/// Mean of each factor's points over rows of a row-major matrix; `None` without rows.
///
/// # Panics
/// If a row is beyond `points`.
pub fn mean_points(
    points: &[f64],
    factors: usize,
    rows: impl IntoIterator<Item = usize>,
) -> Option<Vec<f64>> {
    let mut total = vec![0.0; factors];
    let mut chunk = vec![0.0; factors];
    let mut count = 0usize;
    for row in rows {
        let own = &points[row * factors..(row + 1) * factors];
        for (sum, value) in chunk.iter_mut().zip(own) {
            *sum += value;
        }
        count += 1;
        if count.is_multiple_of(CHUNK_ROWS) {
            close(&mut chunk, &mut total);
        }
    }
    close(&mut chunk, &mut total);
    (count > 0).then(|| total.iter().map(|sum| sum / count as f64).collect())
}

fn close(chunk: &mut [f64], total: &mut [f64]) {
    for (sum, part) in total.iter_mut().zip(chunk) {
        *sum += *part;
        *part = 0.0;
    }
}

/// The parties at or above the cutoff by at most the span, or the nearest above it if those are too few; ascending.
fn near_cutoff(final_scores: &[i32], cutoff: i32) -> Vec<usize> {
    let reach = cutoff.saturating_add(NEAR_CUTOFF_SPAN);
    let within = |score: &i32| (cutoff..=reach).contains(score);
    let near: Vec<usize> = (0..final_scores.len())
        .filter(|party| within(&final_scores[*party]))
        .collect();
    if near.len() >= NEAR_CUTOFF_MIN_PARTIES {
        return near;
    }
    let mut above: Vec<(i32, usize)> = final_scores
        .iter()
        .enumerate()
        .filter(|(_, score)| **score >= cutoff)
        .map(|(party, score)| (*score, party))
        .collect();
    if above.len() > NEAR_CUTOFF_MIN_PARTIES {
        above.select_nth_unstable(NEAR_CUTOFF_MIN_PARTIES);
        above.truncate(NEAR_CUTOFF_MIN_PARTIES);
    }
    let mut nearest: Vec<usize> = above.into_iter().map(|(_, party)| party).collect();
    nearest.sort_unstable();
    nearest
}

impl ReferenceMeans {
    /// Means of a scored population in `party_id` order: points row-major by party, one final score per party.
    /// `None` for an empty one.
    ///
    /// # Panics
    /// If there are fewer points than parties × factors.
    pub fn of_population(points: &[f64], final_scores: &[i32], cutoff: i32) -> Option<Self> {
        let parties = final_scores.len();
        let factors = points.len().checked_div(parties)?;
        assert_eq!(
            points.len(),
            parties * factors,
            "points are parties × factors"
        );
        let population = mean_points(points, factors, 0..parties)?;
        let near = near_cutoff(final_scores, cutoff);
        let near_cutoff_parties = near.len() as u64;
        let near_cutoff = mean_points(points, factors, near).unwrap_or_else(|| population.clone());
        Some(Self {
            population,
            near_cutoff,
            parties: parties as u64,
            near_cutoff_parties,
        })
    }

    /// The means frozen with a refined card, if it has any.
    pub fn frozen(card: &Scorecard) -> Option<Self> {
        let reference = card.content().reference.as_ref()?;
        let column = |of: fn(&ReferencePoints) -> f64| reference.factors.iter().map(of).collect();
        Some(Self {
            population: column(|points| points.population_mean),
            near_cutoff: column(|points| points.near_cutoff_mean),
            parties: reference.parties,
            near_cutoff_parties: reference.near_cutoff_parties,
        })
    }

    /// The form in which a refined card keeps them.
    pub fn freeze(&self, card: &CompiledCard) -> ReferencePopulation {
        let means = self.population.iter().zip(&self.near_cutoff).enumerate();
        ReferencePopulation {
            parties: self.parties,
            near_cutoff_parties: self.near_cutoff_parties,
            factors: means
                .map(|(factor, (population, near_cutoff))| ReferencePoints {
                    feature: card.spec(factor).name.to_owned(),
                    population_mean: *population,
                    near_cutoff_mean: *near_cutoff,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Provenance;
    use crate::expert::expert_card;

    #[test]
    fn fifty_parties_within_the_span_are_the_near_ones() {
        let mut scores = vec![599, 621, 600, 620];
        scores.extend([610; 48]);
        let near = near_cutoff(&scores, 600);
        assert_eq!(near, (2..52).collect::<Vec<_>>());
    }

    #[test]
    fn too_few_within_the_span_give_the_fifty_nearest_above() {
        let mut scores = vec![800; 40];
        scores.extend([700; 30]);
        scores.extend([605; 5]);
        scores.extend([599; 100]);
        let near = near_cutoff(&scores, 600);
        let expected: Vec<usize> = (0..15).chain(40..75).collect();
        assert_eq!(near, expected);
    }

    #[test]
    fn fewer_than_fifty_above_the_cutoff_are_all_taken() {
        assert_eq!(near_cutoff(&[599, 900, 600], 600), [1, 2]);
        assert!(near_cutoff(&[599, 300], 600).is_empty());
    }

    #[test]
    fn means_are_taken_per_factor_over_the_right_parties() {
        let points = [1.0, 10.0, 3.0, 30.0, 5.0, 50.0];
        let means = ReferenceMeans::of_population(&points, &[500, 600, 610], 600).unwrap();
        assert_eq!(means.population, [3.0, 30.0]);
        assert_eq!(means.near_cutoff, [4.0, 40.0]);
        assert_eq!((means.parties, means.near_cutoff_parties), (3, 2));
        let nobody = ReferenceMeans::of_population(&points, &[500, 500, 500], 600).unwrap();
        assert_eq!(nobody.near_cutoff, nobody.population);
        assert_eq!(nobody.near_cutoff_parties, 0);
        assert_eq!(ReferenceMeans::of_population(&[], &[], 600), None);
    }

    #[test]
    fn sums_are_reduced_chunk_by_chunk() {
        let rows = 3 * CHUNK_ROWS + 17;
        let points: Vec<f64> = (0..rows).map(|i| 1.0 / (i + 1) as f64).collect();
        let expected: f64 = points
            .chunks(CHUNK_ROWS)
            .map(|chunk| chunk.iter().fold(0.0, |sum, value| sum + value))
            .fold(0.0, |sum, part| sum + part);
        let mean = mean_points(&points, 1, 0..rows).unwrap()[0];
        assert_eq!(mean.to_bits(), (expected / rows as f64).to_bits());
    }

    #[test]
    fn frozen_means_come_back_from_the_card() {
        let card = expert_card();
        let points: Vec<f64> = (0..26).map(f64::from).collect();
        let means = ReferenceMeans::of_population(&points, &[650, 550], 600).unwrap();
        let mut content = card.content().clone();
        content.reference = Some(means.freeze(&card.compile()));
        let refined = Scorecard::new("2", content, Provenance::default()).unwrap();
        assert_eq!(ReferenceMeans::frozen(&refined), Some(means));
        assert_eq!(ReferenceMeans::frozen(&card), None);
    }
}
