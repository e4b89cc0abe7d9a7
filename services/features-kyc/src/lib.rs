//! features-kyc: what is known about a party itself (`extract_kyc_features`).
//!
//! The definitions are SQL, in `sql/kyc_features.sql`; `handlers` runs it over a task's share of the parties.

mod handlers;
mod module;

use kycc_runtime::Module;

/// The service, for the fleet's module table.
pub fn module() -> Box<dyn Module> {
    Box::new(module::FeaturesKyc)
}
