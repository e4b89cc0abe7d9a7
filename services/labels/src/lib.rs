//! Labels: what became of parties, recorded as outcomes and turned into one label per party of a scored batch.
//!
//! - `core` — outcomes checked and put in party order. Pure.
//! - `store` — recorded outcomes in the state store, append-only.
//! - `handlers` — the `generate_scorecard_labels` task, the source `recorded_outcomes`, the gRPC service.
//! - `module` — what the process assembles.

mod core;
mod handlers;
mod module;
mod store;

pub use module::module;
