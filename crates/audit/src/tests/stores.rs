//! The stores as the tests use them.

use super::*;

kycc_store::for_each_driver! {
    impl AnyStore for driver::Store {
        async fn append(&self, service: &str, deeds: &[Deed], commit: bool) -> Result<Vec<Entry>, StoreError> {
            let mut tx = self.begin_exclusive(service).await?;
            let entries = tx.append_audit(service, deeds).await?;
            if commit {
                tx.commit().await?;
            }
            Ok(entries)
        }

        async fn append_unlocked(&self, deed: &Deed) -> Result<(), StoreError> {
            let mut tx = self.begin().await?;
            tx.append_audit(SERVICE, std::slice::from_ref(deed)).await?;
            tx.commit().await
        }

        async fn tamper(&self, sql: &'static str) -> u64 {
            let mut tx = self.begin().await.unwrap();
            let done = sqlx::query(sql).execute(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            done.rows_affected()
        }
    }
}
