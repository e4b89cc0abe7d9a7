//! feature-store: one checked feature vector per party (`extract_features`), and the service that looks them up.
//!
//! `core` joins and checks; `handlers` has the task and the gRPC methods of `kycc.features.v1.FeatureService`.

mod core;
mod handlers;
mod module;

use kycc_runtime::Module;

/// The service, for the fleet's module table.
pub fn module() -> Box<dyn Module> {
    Box::new(module::FeatureStore)
}
