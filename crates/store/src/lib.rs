//! The state store: connect, migrate, transact, on SQLite or Postgres. SQL here is written in the subset that both share,
//! so that each statement exists once.
//!
//! The subset: BIGINT, TEXT, DOUBLE PRECISION, BYTEA; flags 0/1; times BIGINT microseconds UTC; `$1` placeholders; JSON
//! as TEXT; ids TEXT; every table carries its service's prefix (SQLite has no schemas). A `SUM` of BIGINT is NUMERIC on
//! Postgres: cast it. Text is ordered by the database's collation: page by it, but expect no byte order. Text holds no
//! NUL character.
//!
//! # Transactions
//!
//! SQLite has one writer at a time, so whatever a transaction read still holds when it writes. Postgres has many, and
//! isolates them at READ COMMITTED: each statement sees what was committed before it began. Three ways to begin:
//!
//! - `begin()` for transactions that decide nothing by what they read, or whose first statement is an UPDATE that locks
//!   the row which all writers of that aggregate update first (as the leader's row).
//! - `begin_exclusive(aggregate)` for those that read, decide and then write. Of one aggregate only one runs at a time, in
//!   all processes: it waits for a lock that the transaction holds to its end, and then sees all that was written before.
//! - `snapshot()` for several reads of one moment.
//!
//! None of them fails because of what others do meanwhile, except by waiting too long or by a deadlock (transactions that
//! lock rows in different orders); [`retry_transient`] repeats those. A transaction takes at most one exclusive lock.
//!
//! After a statement has failed, Postgres refuses every other one of the transaction, and answers its commit by rolling
//! back: return the error and let the transaction drop. `INSERT … ON CONFLICT` is the way to meet rows that may be there.

mod driver;
mod error;
mod migrate;
pub mod postgres;
mod redacted;
mod retry;
pub mod sqlite;
mod store;

pub use error::{Effect, StoreError};
pub use migrate::{Migrated, Migration};
pub use redacted::redacted;
pub use retry::{Repeat, Retryable, retry_transient};
pub use store::Store;

/// Statements that a connection keeps prepared. Those that write lists are one for each length that lists are cut to.
const PREPARED: usize = 512;
