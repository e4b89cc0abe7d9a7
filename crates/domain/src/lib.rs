//! What kycc knows about credit scoring, as pure functions: no I/O, no clock, no async.
//!
//! The formulas are those of the project's scoring specification; each module names the part it implements.

pub mod bands;
pub mod binning;
pub mod canonical;
pub mod card;
pub mod catalogue;
pub mod cholesky;
pub mod comparison;
pub mod drift;
pub mod expert;
pub mod feature_means;
pub mod gates;
pub mod ids;
pub mod improvement;
pub mod labels;
pub mod logistic;
pub mod matrix;
pub mod metrics;
pub mod model_card;
pub mod psi;
pub mod reasons;
pub mod refine;
pub mod rules;
pub mod scaling;
pub mod split;
pub mod standardise;
pub mod vif;

mod blocks;
