//! The audit log: who did what to what, one hash chain per service, in one table of the state store.
//!
//! ```text
//!   a transaction of a service: [ fence or exclusive lock ] ─> change ─> append_audit ─> commit
//! ```
//! An entry is written by the transaction that makes the change: both stand or neither. Each is sealed together with the
//! one before, so whatever is changed, removed, moved or put in afterwards breaks the chain where it lies; a log that was
//! cut short or written anew lacks the hash that people kept outside.
//!
//! - `entry` — an entry, its seal, and the chain followed anew. Pure.
//! - `append` — entries written inside a caller's transaction.
//! - `read` — entries listed, chains verified a page at a time.

mod append;
mod chain;
mod entry;
mod filter;
mod read;

pub use append::AppendAudit;
pub use chain::{Break, Chain};
pub use entry::{Deed, Entry, GENESIS, Head, Subject};
pub use filter::{Filter, Order, Position};
pub use read::{AuditStore, ChainSummary, ReadAudit, Span, Verified, is_unreadable};

use kycc_store::Migration;

/// Under which the tables of the log are migrated; they belong to no service.
pub const TABLES: &str = "audit";

/// What makes the tables of the log. The runtime applies them in every process that has tables at all.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "entries",
    sql: include_str!("../migrations/001_entries.sql"),
}];

#[cfg(test)]
mod tests;
