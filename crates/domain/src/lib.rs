//! What kycc knows about credit scoring, as pure functions: no I/O, no clock, no async.
//!
//! The formulas are those of the project's scoring specification; each module names the part it implements.

pub mod bands;
pub mod canonical;
pub mod card;
pub mod catalogue;
pub mod cholesky;
pub mod expert;
pub mod ids;
pub mod logistic;
pub mod matrix;
pub mod scaling;
pub mod standardise;
