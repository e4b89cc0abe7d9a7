//! SQLite behind the store: one writer, many readers.
//!
//! SQLite has one writer at a time whatever one does. Handing out a single writing connection makes the wait a queue in
//! this process instead of SQLITE_BUSY, and BEGIN IMMEDIATE takes the lock before the first read, so that a transaction
//! never fails half-way because another wrote in between.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::StoreError;

pub type Database = sqlx::Sqlite;
pub type Pool = sqlx::SqlitePool;
pub type Connection = sqlx::SqliteConnection;
pub type Row = sqlx::sqlite::SqliteRow;
pub const NAME: &str = "sqlite";

/// Counts the tables called `$1`.
pub(crate) const COUNT_TABLES: &str =
    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1";

const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(10);
const ACQUIRE: Duration = Duration::from_secs(30);

/// The state store of one fleet. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    readers: Pool,
    writer: Pool,
    /// Of `sqlite::memory:`; the folder goes with the last clone.
    _scratch: Option<Arc<tempfile::TempDir>>,
}

impl Store {
    /// Opens `sqlite:///path/to/file.db` (made if missing, with its folder) or `sqlite::memory:`.
    ///
    /// The latter is a private file that is removed afterwards: a real in-memory database belongs to one connection, and
    /// would lock differently from what runs in production.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let (path, scratch) = locate(url)?;
        let durable = scratch.is_none();
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL syncs the log at every commit. NORMAL would lose acknowledged transactions at a power cut: an
            // approval that a person was told is recorded must be. It costs an fsync per transaction, and transactions
            // here carry many results each.
            .synchronous(if durable {
                SqliteSynchronous::Full
            } else {
                SqliteSynchronous::Off
            })
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(crate::PREPARED);
        let open = |source| StoreError::Open {
            url: url.to_owned(),
            source,
        };
        // The writer first: it creates the file and switches it to WAL.
        let writer = pool(1).connect_with(options.clone()).await.map_err(open)?;
        let readers = pool(READERS)
            .connect_with(options.pragma("query_only", "1"))
            .await
            .map_err(open)?;
        Ok(Self {
            readers,
            writer,
            _scratch: scratch.map(Arc::new),
        })
    }

    /// For statements that read. Writing through it is refused by the database.
    #[must_use]
    pub fn read(&self) -> &Pool {
        &self.readers
    }

    /// A transaction that may write; holds the only writing connection until it is committed or dropped, and a drop
    /// rolls back. Never open a second one while holding one.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = self
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::during("begin a transaction"))?;
        Ok(Tx { inner })
    }

    /// As [`begin`](Self::begin): there is one writer at a time anyway.
    pub async fn begin_exclusive(&self, _aggregate: &str) -> Result<Tx, StoreError> {
        self.begin().await
    }

    /// Reads of one moment: that of the first statement.
    pub async fn snapshot(&self) -> Result<Tx, StoreError> {
        let inner = self
            .readers
            .begin()
            .await
            .map_err(StoreError::during("begin to read"))?;
        Ok(Tx { inner })
    }

    /// A transaction for changing tables.
    pub(crate) async fn begin_migration(&self) -> Result<Tx, StoreError> {
        self.begin().await
    }

    /// Closes every connection; the log is folded into the database file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A writing transaction; dereferences to the connection that statements execute on (`&mut *tx`).
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

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        // A local file does not hang up: connections live as long as the store.
        .idle_timeout(None)
        .max_lifetime(None)
}

fn locate(url: &str) -> Result<(PathBuf, Option<tempfile::TempDir>), StoreError> {
    if url == "sqlite::memory:" {
        let folder = tempfile::tempdir().map_err(|source| StoreError::Folder {
            path: std::env::temp_dir(),
            source,
        })?;
        return Ok((folder.path().join("state.db"), Some(folder)));
    }
    let path = url
        .strip_prefix("sqlite://")
        .filter(|path| !path.is_empty())
        .map(Path::new)
        .ok_or_else(|| StoreError::Url {
            url: url.to_owned(),
        })?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        })?;
    }
    Ok((path.to_owned(), None))
}
