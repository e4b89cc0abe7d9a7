//! The state store whose database is chosen by its URL.

use crate::{Migrated, Migration, StoreError, postgres, sqlite, with_driver};

/// One of the two databases, open. Clones share their connections. What services do with it is in traits that they
/// implement for both; [`with_driver!`](crate::with_driver) makes their trait objects.
#[derive(Debug, Clone)]
pub enum Store {
    Sqlite(sqlite::Store),
    Postgres(postgres::Store),
}

impl Store {
    /// Opens `sqlite:///path/to/file.db`, `sqlite::memory:`, or `postgres://user:password@host:port/database` (also
    /// `postgresql://`), whose parameters [`postgres::Store::open`] lists.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if postgres::is_url(url) {
            Ok(Self::Postgres(postgres::Store::open(url).await?))
        } else {
            Ok(Self::Sqlite(sqlite::Store::open(url).await?))
        }
    }

    /// Brings the tables of `service` up to the last of `migrations`, in one transaction: all of them or none. Processes
    /// that do it at the same moment wait for each other.
    ///
    /// Refuses a store that a newer program wrote, and one whose applied migrations differ from these.
    pub async fn migrate(
        &self,
        service: &str,
        migrations: &[Migration],
    ) -> Result<Migrated, StoreError> {
        with_driver!(self, |store| store.migrate(service, migrations).await)
    }

    /// Whether the tables of `service` are those that `migrations` make; writes nothing.
    ///
    /// Refuses what [`migrate`](Self::migrate) refuses, and older tables.
    pub async fn verify_tables(
        &self,
        service: &str,
        migrations: &[Migration],
    ) -> Result<(), StoreError> {
        with_driver!(self, |store| store.verify_tables(service, migrations).await)
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        with_driver!(self, |store| {
            let answered = sqlx::query("SELECT 1").execute(store.read()).await;
            answered.map(drop)
        })
        .map_err(StoreError::during("answer a ping"))
    }

    pub async fn close(&self) {
        with_driver!(self, |store| store.close().await);
    }
}
