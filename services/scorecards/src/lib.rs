//! Scorecards: their versions, which one is active, and drafts refined from a model for a person to approve.
//!
//! - `core` — a draft worked out and judged; what may happen to it next, and why not; the audit log. Pure.
//! - `store` — versions in the state store, exactly one of them active, and the log of every change.
//! - `handlers` — the `refine_scorecard` task, the sources `active_scorecard` and `shadow_scorecard`, the gRPC service.
//! - `module` — what the process assembles.

mod core;
#[cfg(test)]
mod fixtures;
mod handlers;
mod module;
mod store;

pub use module::module;
