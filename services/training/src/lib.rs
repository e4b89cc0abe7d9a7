//! Training: a logistic regression on the scorecard's own scaled inputs, over every matured batch, and its registry.
//!
//! - `core` — rows split, a model fitted and judged. Pure.
//! - `store` — the registry of models in the state store.
//! - `handlers` — the `train_model_asset` task and the gRPC service.
//! - `module` — what the process assembles.

mod core;
mod handlers;
mod module;
mod store;

pub use module::module;
