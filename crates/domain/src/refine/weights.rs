//! The weights of a draft: the expert's and the model's, each brought to `Σ|w| = 100`, then blended.

use super::RefineError;
use crate::card::Scorecard;
use crate::logistic::RawModel;

const TOTAL: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Blend {
    pub(super) weights: Vec<f64>,
    /// What the model's goodness `g_j = −a_j` was multiplied by to reach the total; the exact link divides by it.
    pub(super) model_factor: f64,
}

/// `w = (1−λ)·expert + λ·model`. A model without any coefficient has nothing to normalise.
pub(super) fn blend(
    expert: &Scorecard,
    model: &RawModel,
    lambda: f64,
) -> Result<Blend, RefineError> {
    let size: f64 = model.slopes.iter().map(|a| a.abs()).sum();
    let model_factor = TOTAL / size;
    if !(size > 0.0 && model_factor.is_finite()) {
        return Err(RefineError::ModelWithoutWeights);
    }
    let expert_size: f64 = expert.factors().iter().map(|f| f.weight.abs()).sum();
    let expert_factor = TOTAL / expert_size;
    let weights = expert
        .factors()
        .iter()
        .zip(&model.slopes)
        .map(|(factor, slope)| {
            let expert_part = (1.0 - lambda) * expert_factor * factor.weight;
            // Adding 0 turns −0 into 0: the two are the same card and must have the same hash.
            expert_part + lambda * model_factor * -slope + 0.0
        })
        .collect();
    Ok(Blend {
        weights,
        model_factor,
    })
}
