//! Scorecards: their versions, which one is active, and drafts refined from a model for a person to approve.
//!
//! - `core` — a draft worked out and judged; what may become active, and why not. Pure.
//! - `store` — versions in the state store; exactly one is active.
//! - `handlers` — the `refine_scorecard` task, the source `active_scorecard`, the gRPC service.
//! - `module` — what the process assembles.

mod core;
mod handlers;
mod module;
mod store;

pub use module::module;
