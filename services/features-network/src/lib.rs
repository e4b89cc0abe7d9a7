//! features-network: who supplies whom, counted and followed five hops downstream (`extract_network_features`).
//!
//! `core` is the graph and its kernel; `handlers` reads a batch's relationships, runs it for a task's share of the
//! parties and writes their features.

mod core;
mod handlers;
mod module;

use kycc_runtime::Module;

/// The service, for the fleet's module table.
pub fn module() -> Box<dyn Module> {
    Box::new(module::FeaturesNetwork)
}
