//! Metrics, fits and indices from outside: against other libraries' numbers, and under changes that must not matter.
#![expect(clippy::unwrap_used, reason = "a failed lookup fails the test")]

#[path = "science/properties.rs"]
mod properties;
#[path = "science/reference.rs"]
mod reference;
#[path = "science/rows.rs"]
mod rows;
