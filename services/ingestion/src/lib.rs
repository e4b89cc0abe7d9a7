//! Ingestion: batches of parties, accounts, transactions and relationships on their way into the lake.
//!
//! ```text
//! source ──▶ reader ──▶ core ──▶ stage ──────────▶ relate ──────▶ lake
//! which      blocks     typed    temporary files,  SQL: future,
//! files      of bytes   rows     ids as numbers    references, duplicates
//! ```
//!
//! A source is files that lie in a landing folder, or an upload: records that callers sent, which became files there
//! (`handlers/upload`, `landed`, `store`).

mod as_of;
mod config;
mod core;
mod handlers;
mod landed;
mod limits;
mod module;
mod reader;
mod relate;
mod source;
mod stage;
mod store;
#[cfg(test)]
mod tests;

use kycc_runtime::Module;

/// The service, for the process that runs it.
pub fn module() -> Box<dyn Module> {
    Box::new(module::IngestionModule)
}
