//! A party decided again with one of its features changed.

use crate::card::{CompiledCard, Factor, MAX_FACTORS, Scorecard};
use crate::catalogue::{FEATURE_COUNT, FeatureVector, feature_index};
use crate::rules::{Decision, RuleError, RuleSet};
use crate::scaling::Method;

/// A party with what decides about it.
#[derive(Debug)]
pub(super) struct Party<'a> {
    card: &'a Scorecard,
    compiled: CompiledCard,
    /// Position of each factor's feature in the catalogue.
    features: Vec<usize>,
    pub(super) rules: &'a RuleSet,
    pub(super) row: [f64; FEATURE_COUNT],
}

/// What became of the party under one value of the feature in question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    /// Scaled value and points of the factor.
    pub(super) scaled: f64,
    pub(super) points: f64,
    pub(super) decision: Decision,
}

impl<'a> Party<'a> {
    pub(super) fn new(card: &'a Scorecard, rules: &'a RuleSet, features: &FeatureVector) -> Self {
        let index = |factor: &Factor| {
            feature_index(&factor.feature).expect("a validated card names known features")
        };
        Self {
            card,
            compiled: card.compile(),
            features: card.factors().iter().map(index).collect(),
            rules,
            row: *features.values(),
        }
    }

    /// Position of the factor's feature in the catalogue.
    pub(super) fn feature(&self, factor: usize) -> usize {
        self.features[factor]
    }

    pub(super) fn method(&self, factor: usize) -> Method {
        self.card.factors()[factor].method
    }

    pub(super) fn is_inverted(&self, factor: usize) -> bool {
        self.compiled.is_inverted(factor)
    }

    pub(super) fn band_name(&self, index: usize) -> &str {
        &self.card.bands().as_slice()[index].name
    }

    /// As the party is.
    pub(super) fn decide(&self) -> Result<Decision, RuleError> {
        let mut points = [0.0; MAX_FACTORS];
        let raw = self.compiled.score_into(&self.row, &mut points);
        self.rules.apply(&self.compiled, &self.row, raw)
    }

    /// The card's raw score with the factor's feature at `value`.
    pub(super) fn raw(&self, factor: usize, value: f64) -> f64 {
        let mut points = [0.0; MAX_FACTORS];
        self.compiled
            .score_into(&self.changed(factor, value), &mut points)
    }

    /// Everything with the factor's feature at `value`.
    pub(super) fn outcome(&self, factor: usize, value: f64) -> Result<Outcome, RuleError> {
        let row = self.changed(factor, value);
        let (mut points, mut scaled) = ([0.0; MAX_FACTORS], [0.0; MAX_FACTORS]);
        let raw = self.compiled.score_into(&row, &mut points);
        self.compiled.scale_into(&row, &mut scaled);
        Ok(Outcome {
            scaled: scaled[factor],
            points: points[factor],
            decision: self.rules.apply(&self.compiled, &row, raw)?,
        })
    }

    fn changed(&self, factor: usize, value: f64) -> [f64; FEATURE_COUNT] {
        let mut row = self.row;
        row[self.feature(factor)] = value;
        row
    }
}
