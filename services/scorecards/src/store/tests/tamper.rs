//! Statements past the service, as a stranger with the store's password would make them.

use std::future::Future;

pub(super) trait Tamper: Send + Sync {
    /// How many rows it touched.
    fn tamper(&self, sql: &'static str) -> impl Future<Output = u64> + Send;
}

kycc_store::for_each_driver! {
    impl Tamper for driver::Store {
        async fn tamper(&self, sql: &'static str) -> u64 {
            let mut tx = self.begin().await.unwrap();
            let done = sqlx::query(sql).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            done.rows_affected()
        }
    }
}
