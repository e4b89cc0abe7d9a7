//! The key that seals page tokens: drawn once for a state store, so that every process of the fleet takes what another
//! gave out, after a restart too.

use async_trait::async_trait;
use kycc_rpc::PageKey;
use kycc_store::{Migration, Repeat, StoreError, retry_transient};

/// Under which the tables of the runtime itself are migrated.
pub(crate) const TABLES: &str = "fleet";

pub(crate) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "keys",
    sql: "CREATE TABLE fleet_keys (name TEXT PRIMARY KEY, value BYTEA NOT NULL, created_at BIGINT NOT NULL)",
}];

const NAME: &str = "page_token";

#[async_trait]
pub(crate) trait PageKeyStore {
    /// The key of this store: `drawn`, unless somebody was here before.
    async fn page_key(&self, drawn: PageKey, now_micros: i64) -> Result<PageKey, StoreError>;
}

kycc_store::for_each_driver! {
    #[async_trait]
    impl PageKeyStore for driver::Store {
        async fn page_key(&self, drawn: PageKey, now_micros: i64) -> Result<PageKey, StoreError> {
            let entered = || enter(self, &drawn, now_micros);
            retry_transient(Repeat::ByKey, entered).await?;
            let key: Vec<u8> = sqlx::query_scalar("SELECT value FROM fleet_keys WHERE name = $1")
                .bind(NAME)
                .fetch_one(self.read())
                .await
                .map_err(StoreError::during("read the key of page tokens"))?;
            // One of another length was not written here; tokens then hold for this process.
            Ok(PageKey::from_bytes(&key).unwrap_or(drawn))
        }
    }

    async fn enter(store: &driver::Store, drawn: &PageKey, now_micros: i64) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        sqlx::query(
            "INSERT INTO fleet_keys (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(NAME)
        .bind(drawn.as_bytes())
        .bind(now_micros)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::during("keep the key of page tokens"))?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    kycc_testkit::on_every_store!(TABLES, MIGRATIONS, [every_process_gets_the_first_key]);

    async fn every_process_gets_the_first_key<S: PageKeyStore>(store: S) {
        let first = store.page_key(PageKey::draw(), 1).await.unwrap();
        let again = store.page_key(PageKey::draw(), 2).await.unwrap();
        assert_eq!(first, again);
    }
}
