//! Scoring: one score from 300 to 900 per party, its band, what made it and what held it back.
//!
//! - `core` — a whole population scored by a card and its rules; statistics. Pure.
//! - `handlers` — the `score_batch` task, the gRPC service, published scores held for point lookups.
//! - `module` — what the process assembles.

mod core;
mod handlers;
mod module;

pub use module::module;
