//! Postgres behind the store: many readers and writers, in as many processes as one likes.
//!
//! Two pools, so that a transaction which reads beside itself never waits for a connection that only its own end would
//! free.

mod lock;
mod options;

use std::ops::{Deref, DerefMut};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::{StoreError, redacted};

pub use options::StoreOptions;

pub type Database = sqlx::Postgres;
pub type Pool = sqlx::PgPool;
pub type Connection = sqlx::PgConnection;
pub type Row = sqlx::postgres::PgRow;
pub const NAME: &str = "postgres";

/// Counts the tables called `$1` that statements without a schema would meet.
pub(crate) const COUNT_TABLES: &str =
    "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass(quote_ident($1))";

/// Whether the scheme says Postgres.
pub(crate) fn is_url(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The state store of a fleet. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    readers: Pool,
    writers: Pool,
}

impl Store {
    /// Opens `postgres://user:password@host:port/database`. Beside the parameters of libpq that concern a connection
    /// (`sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `application_name`, `options`, …) the URL takes those of
    /// [`StoreOptions`], times in seconds.
    ///
    /// A server that is starting up is waited for as long as for any connection.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let (connect, options) = options::parse(url)?;
        Self::connect(url, connect, options).await
    }

    /// As [`open`](Self::open), with `options` in place of those of the URL.
    pub async fn open_with(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let (connect, _) = options::parse(url)?;
        Self::connect(url, connect, options).await
    }

    async fn connect(
        url: &str,
        connect: PgConnectOptions,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let connect = connect
            .options(options.of_session())
            .statement_cache_capacity(crate::PREPARED);
        let readers = connect
            .clone()
            .options([("default_transaction_read_only", "on")]);
        // A half for each; of an odd number readers get more.
        let half = (options.max_connections / 2).max(1);
        let rest = options.max_connections.saturating_sub(half).max(1);
        let open = |source| StoreError::Open {
            url: redacted(url),
            source,
        };
        Ok(Self {
            writers: pool(half, options)
                .connect_with(connect)
                .await
                .map_err(open)?,
            readers: pool(rest, options).connect_lazy_with(readers),
        })
    }

    /// For statements that read. Writing through it is refused by the database.
    #[must_use]
    pub fn read(&self) -> &Pool {
        &self.readers
    }

    /// A transaction that may write, at READ COMMITTED; a drop rolls back.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.begin_as("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            .await
    }

    /// A transaction that is the only one of its aggregate, in all processes, from here to its end. The lock is taken by
    /// name, e.g. `scorecards`.
    pub async fn begin_exclusive(&self, aggregate: &str) -> Result<Tx, StoreError> {
        let mut tx = self.begin().await?;
        lock::hold(&mut tx, aggregate).await?;
        Ok(tx)
    }

    /// Reads of one moment: that of the first statement.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        let inner = self
            .readers
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map_err(StoreError::during("begin to read"))?;
        Ok(Tx { inner })
    }

    /// A transaction for changing tables: alone, and as long as it takes.
    pub(crate) async fn begin_migration(&self) -> Result<Tx, StoreError> {
        let mut tx = self.begin().await?;
        lock::hold_for_migration(&mut tx).await?;
        Ok(tx)
    }

    async fn begin_as(&self, statement: &'static str) -> Result<Tx, StoreError> {
        let inner = self
            .writers
            .begin_with(statement)
            .await
            .map_err(StoreError::during("begin a transaction"))?;
        Ok(Tx { inner })
    }

    /// Waits for connections that are in use and closes all.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

/// A transaction; dereferences to the connection that statements execute on (`&mut *tx`).
#[derive(Debug)]
pub struct Tx {
    inner: sqlx::Transaction<'static, Database>,
}

impl Tx {
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner
            .commit()
            .await
            .map_err(|source| StoreError::Commit { source })
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        self.inner
            .rollback()
            .await
            .map_err(StoreError::during("roll a transaction back"))
    }
}

impl Deref for Tx {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.inner
    }
}

fn pool(connections: u32, options: StoreOptions) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // A server that was restarted leaves dead connections behind; a round trip tells before a statement is lost.
        .test_before_acquire(true)
}
