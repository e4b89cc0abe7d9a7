//! features-transaction: how a party trades in the last 180 days (`extract_txn_features`).
//!
//! The definitions are SQL, in `sql/transaction_features.sql`; `core` works out the instants that bound the window,
//! `handlers` runs the query over a task's share of the parties.

mod core;
mod handlers;
mod module;

use kycc_runtime::Module;

/// The service, for the fleet's module table.
pub fn module() -> Box<dyn Module> {
    Box::new(module::FeaturesTransaction)
}
