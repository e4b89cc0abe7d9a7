//! A card made ready to score millions of rows: constants worked out once, no allocation per row.
//!
//! `raw` is the least score plus the points in catalogue order, so that least + points = raw holds as computed, not only
//! on paper.

use super::{MAX_FACTORS, Scaling, Scorecard};
use crate::bands::Bands;
use crate::catalogue::{FEATURES, FeatureSpec, FeatureVector, feature_index};
use crate::scaling::CompiledMethod;

#[derive(Debug, Clone, Copy)]
struct CompiledFactor {
    feature: usize,
    method: CompiledMethod,
    max_points: f64,
    /// A negative weight: the points fall as the feature rises.
    inverted: bool,
}

#[derive(Debug, Clone)]
pub struct CompiledCard {
    factors: Vec<CompiledFactor>,
    scaling: Scaling,
    bands: Bands,
    points_per_weight: f64,
    least: f64,
    greatest: f64,
}

/// One party's score, with every factor's part in it (card order).
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub raw: f64,
    /// `raw` rounded half up, once.
    pub score: i32,
    /// Scaled value of each factor, in [0, 1].
    pub s: Vec<f64>,
    pub points: Vec<f64>,
    /// Points short of each factor's greatest.
    pub lost: Vec<f64>,
}

/// The nearest whole number, halves upwards; exact where adding 0.5 first would not be.
pub fn round_half_up(value: f64) -> i32 {
    nearest_half_up(value) as i32
}

/// [`round_half_up`] for scores of any size.
pub fn nearest_half_up(value: f64) -> f64 {
    let floor = value.floor();
    if value - floor >= 0.5 {
        floor + 1.0
    } else {
        floor
    }
}

impl CompiledCard {
    pub(super) fn new(card: &Scorecard) -> Self {
        let scaling = card.scaling();
        let spread: f64 = card.factors().iter().map(|f| f.weight.abs()).sum();
        let g_min: f64 = card.factors().iter().map(|f| f.weight.min(0.0)).sum();
        let k = scaling.points_per_weight(spread);
        let least = scaling.least(g_min);
        let compile = |factor: &super::Factor| CompiledFactor {
            feature: feature_index(&factor.feature).expect("a validated card names known features"),
            method: factor.method.into(),
            max_points: k * factor.weight.abs(),
            inverted: factor.weight < 0.0,
        };
        Self {
            factors: card.factors().iter().map(compile).collect(),
            scaling,
            bands: card.bands().clone(),
            points_per_weight: k,
            least,
            greatest: match scaling {
                Scaling::MinMax(range) => f64::from(range.max),
                Scaling::Pdo(_) => least + k * spread,
            },
        }
    }

    pub fn factor_count(&self) -> usize {
        self.factors.len()
    }

    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    pub fn bands(&self) -> &Bands {
        &self.bands
    }

    /// The raw score of a party without any point; raw scores are this plus the points.
    pub fn least(&self) -> f64 {
        self.least
    }

    /// The raw score of a party with every point.
    pub fn greatest(&self) -> f64 {
        self.greatest
    }

    /// Least and greatest final score: what the bands cover. Under min-max the raw scores' own range.
    pub fn final_range(&self) -> (i32, i32) {
        self.bands.range()
    }

    /// `k`: points per unit of weight.
    pub fn points_per_weight(&self) -> f64 {
        self.points_per_weight
    }

    /// Catalogue entry of a factor.
    pub fn spec(&self, factor: usize) -> &'static FeatureSpec {
        &FEATURES[self.factors[factor].feature]
    }

    /// The most points a factor can award.
    pub fn max_points(&self, factor: usize) -> f64 {
        self.factors[factor].max_points
    }

    /// Whether the factor's points fall as its feature rises.
    pub fn is_inverted(&self, factor: usize) -> bool {
        self.factors[factor].inverted
    }

    /// Scores one row of features in catalogue order; `points` takes one number per factor.
    ///
    /// # Panics
    /// If the row or `points` is shorter than the catalogue or the card.
    pub fn score_into(&self, row: &[f64], points: &mut [f64]) -> f64 {
        let points = &mut points[..self.factors.len()];
        let mut raw = self.least;
        for (factor, slot) in self.factors.iter().zip(points) {
            let s = factor.method.scale(row[factor.feature]);
            let share = if factor.inverted { 1.0 - s } else { s };
            *slot = factor.max_points * share;
            raw += *slot;
        }
        // The sum of all greatest points may miss the greatest score by some 1e-13; the range is a promise.
        raw.clamp(self.least, self.greatest)
    }

    /// The scaled inputs of one row, which are also what the model trains on.
    ///
    /// # Panics
    /// If the row or `scaled` is shorter than the catalogue or the card.
    pub fn scale_into(&self, row: &[f64], scaled: &mut [f64]) {
        let scaled = &mut scaled[..self.factors.len()];
        for (factor, slot) in self.factors.iter().zip(scaled) {
            *slot = factor.method.scale(row[factor.feature]);
        }
    }

    pub fn score(&self, features: &FeatureVector) -> Scored {
        let count = self.factors.len();
        let (mut s, mut points) = ([0.0; MAX_FACTORS], [0.0; MAX_FACTORS]);
        self.scale_into(features.as_slice(), &mut s);
        let raw = self.score_into(features.as_slice(), &mut points);
        let lost = self.factors.iter().zip(&points);
        Scored {
            raw,
            score: round_half_up(raw),
            s: s[..count].to_vec(),
            points: points[..count].to_vec(),
            lost: lost
                .map(|(factor, awarded)| factor.max_points - awarded)
                .collect(),
        }
    }
}

impl Scorecard {
    /// Scores one party. For many, `compile` once and use `CompiledCard::score_into`.
    pub fn score(&self, features: &FeatureVector) -> Scored {
        self.compile().score(features)
    }
}
