//! The registry of models: append-only, one row per model, newest first.

use async_trait::async_trait;
use kycc_store::{Migration, Repeat, StoreError, retry_transient};

pub(crate) const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "models",
    sql: include_str!("../migrations/001_models.sql"),
}];

/// A model in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) model_id: String,
    /// JSON of the model's document.
    pub(crate) document: String,
    pub(crate) run_id: String,
    pub(crate) created_at_micros: i64,
}

#[async_trait]
pub(crate) trait ModelStore: Send + Sync {
    /// Enters a model. One that stands already is left as it is: same inputs, same id.
    async fn register(&self, model: &Registered) -> Result<(), StoreError>;

    async fn get(&self, model_id: &str) -> Result<Option<Registered>, StoreError>;

    /// At most `limit` models that come after `after` (created at, id) in the order newest first.
    async fn list(
        &self,
        after: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<Registered>, StoreError>;
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl ModelStore for driver::Store {
        async fn register(&self, model: &Registered) -> Result<(), StoreError> {
            retry_transient(Repeat::ByKey, || register(self, model)).await
        }

        async fn get(&self, model_id: &str) -> Result<Option<Registered>, StoreError> {
            let row = sqlx::query(
                "SELECT model_id, document, run_id, created_at FROM training_models WHERE model_id = $1",
            )
            .bind(model_id)
            .fetch_optional(self.read())
            .await
            .map_err(StoreError::during("read a model"))?;
            row.as_ref().map(registered).transpose().map_err(StoreError::during("read a model"))
        }

        async fn list(&self, after: Option<(i64, String)>, limit: u32) -> Result<Vec<Registered>, StoreError> {
            let (at, id) = after.unwrap_or((i64::MAX, String::new()));
            let rows = sqlx::query(
                "SELECT model_id, document, run_id, created_at FROM training_models
                 WHERE created_at < $1 OR (created_at = $1 AND model_id < $2)
                 ORDER BY created_at DESC, model_id DESC LIMIT $3",
            )
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(self.read())
            .await
            .map_err(StoreError::during("list models"))?;
            rows.iter().map(registered).collect::<Result<_, _>>().map_err(StoreError::during("list models"))
        }
    }

    async fn register(store: &driver::Store, model: &Registered) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        sqlx::query(
            "INSERT INTO training_models (model_id, document, run_id, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (model_id) DO NOTHING",
        )
        .bind(&model.model_id)
        .bind(&model.document)
        .bind(&model.run_id)
        .bind(model.created_at_micros)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::during("register a model"))?;
        tx.commit().await
    }

    fn registered(row: &driver::Row) -> Result<Registered, sqlx::Error> {
        Ok(Registered {
            model_id: row.try_get("model_id")?,
            document: row.try_get("document")?,
            run_id: row.try_get("run_id")?,
            created_at_micros: row.try_get("created_at")?,
        })
    }
}

#[cfg(test)]
mod tests;
