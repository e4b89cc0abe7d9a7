//! The state store: connect, migrate, transact. SQL here is written in the subset that SQLite and Postgres share, so
//! that each statement exists once.
//!
//! The subset: BIGINT, TEXT, DOUBLE PRECISION, BYTEA; flags 0/1; times BIGINT microseconds UTC; `$1` placeholders; JSON
//! as TEXT; ids TEXT; every table carries its service's prefix (SQLite has no schemas).

mod driver;
mod error;
mod migrate;
pub mod sqlite;

pub use error::{Effect, StoreError};
pub use migrate::Migration;
pub use sqlite::{Store, Tx};
