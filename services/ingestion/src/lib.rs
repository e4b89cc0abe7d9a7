//! Ingestion: batches of parties, accounts, transactions and relationships on their way into the lake.
//!
//! ```text
//! source ──▶ reader ──▶ core ──▶ stage ──────────▶ relate ──────▶ lake
//! which      blocks     typed    temporary files,  SQL: future,
//! files      of bytes   rows     ids as numbers    references, duplicates
//! ```

mod as_of;
mod config;
mod core;
mod handlers;
mod module;
mod reader;
mod relate;
mod source;
mod stage;
#[cfg(test)]
mod tests;

use kycc_runtime::Module;

/// The service, for the process that runs it.
pub fn module() -> Box<dyn Module> {
    Box::new(module::IngestionModule)
}
