//! Recorded outcomes: appended, never changed, numbered in the order in which they were recorded.

use async_trait::async_trait;
use kycc_store::{Migration, StoreError};

use crate::core::outcome::Outcome;

pub(crate) const MIGRATIONS: [Migration; 1] = [Migration {
    version: 1,
    name: "outcomes",
    sql: include_str!("../migrations/001_outcomes.sql"),
}];

/// Who records, when, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recording<'a> {
    pub(crate) source: &'a str,
    pub(crate) recorded_by: &'a str,
    pub(crate) recorded_at_micros: i64,
}

#[async_trait]
pub(crate) trait OutcomeStore: Send + Sync {
    /// Appends all of them in one transaction; returns how many were new. One that stands word for word is left alone.
    async fn append(
        &self,
        outcomes: &[Outcome],
        recording: Recording<'_>,
    ) -> Result<u64, StoreError>;

    /// Number of the newest outcome; 0 when there is none.
    async fn newest(&self) -> Result<i64, StoreError>;

    /// Outcomes up to number `through` that occurred from `from_micros` to `to_micros`, oldest number first.
    async fn read(
        &self,
        through: i64,
        from_micros: i64,
        to_micros: i64,
    ) -> Result<Vec<Outcome>, StoreError>;
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl OutcomeStore for driver::Store {
        async fn append(&self, outcomes: &[Outcome], recording: Recording<'_>) -> Result<u64, StoreError> {
            let mut tx = self.begin().await?;
            let newest: i64 = sqlx::query("SELECT COALESCE(MAX(outcome_id), 0) FROM labels_outcomes")
                .fetch_one(&mut *tx)
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("number an outcome"))?;
            let mut recorded = 0i64;
            for outcome in outcomes {
                let inserted = sqlx::query(
                    "INSERT INTO labels_outcomes
                        (outcome_id, party_id, kind, days_past_due, occurred_at, source, recorded_at, recorded_by)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                     ON CONFLICT (party_id, kind, days_past_due, occurred_at, source) DO NOTHING",
                )
                .bind(newest + recorded + 1)
                .bind(&outcome.party_id)
                .bind(crate::core::outcome::kind_name(outcome.kind))
                .bind(i64::from(outcome.days_past_due))
                .bind(outcome.occurred_at_micros)
                .bind(recording.source)
                .bind(recording.recorded_at_micros)
                .bind(recording.recorded_by)
                .execute(&mut *tx)
                .await
                .map_err(StoreError::during("record an outcome"))?;
                recorded += i64::from(inserted.rows_affected() == 1);
            }
            tx.commit().await?;
            Ok(recorded.unsigned_abs())
        }

        async fn newest(&self) -> Result<i64, StoreError> {
            sqlx::query("SELECT COALESCE(MAX(outcome_id), 0) FROM labels_outcomes")
                .fetch_one(driver::Store::read(self))
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("look for the newest outcome"))
        }

        async fn read(&self, through: i64, from_micros: i64, to_micros: i64) -> Result<Vec<Outcome>, StoreError> {
            let rows = sqlx::query(
                "SELECT party_id, kind, days_past_due, occurred_at FROM labels_outcomes
                 WHERE outcome_id <= $1 AND occurred_at >= $2 AND occurred_at <= $3 ORDER BY outcome_id",
            )
            .bind(through)
            .bind(from_micros)
            .bind(to_micros)
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("read outcomes"))?;
            rows.iter().map(outcome).collect::<Result<_, _>>().map_err(StoreError::during("read outcomes"))
        }
    }

    fn outcome(row: &driver::Row) -> Result<Outcome, sqlx::Error> {
        let kind: String = row.try_get("kind")?;
        let days: i64 = row.try_get("days_past_due")?;
        Ok(Outcome {
            party_id: row.try_get("party_id")?,
            kind: crate::core::outcome::kind_named(&kind).ok_or_else(|| {
                let reason = format!("{kind:?} is no kind of outcome");
                sqlx::Error::ColumnDecode { index: "kind".into(), source: reason.into() }
            })?,
            days_past_due: i32::try_from(days).unwrap_or(i32::MAX),
            occurred_at_micros: row.try_get("occurred_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::labels::OutcomeKind;
    use kycc_store::Store;

    fn outcome(party: &str, at: i64) -> Outcome {
        Outcome {
            party_id: party.into(),
            kind: OutcomeKind::WriteOff,
            days_past_due: 0,
            occurred_at_micros: at,
        }
    }

    const FEED: Recording<'static> = Recording {
        source: "feed",
        recorded_by: "ann",
        recorded_at_micros: 99,
    };

    async fn store() -> Store {
        let store = Store::open("sqlite::memory:").await.unwrap();
        store.migrate("labels", &MIGRATIONS).await.unwrap();
        store
    }

    #[tokio::test]
    async fn a_repeated_outcome_is_recorded_once_and_numbers_have_no_gaps() {
        let store = store().await;
        let (a, b, c) = (outcome("A", 1), outcome("B", 2), outcome("C", 3));
        assert_eq!(
            store.append(&[a.clone(), b.clone()], FEED).await.unwrap(),
            2
        );
        assert_eq!(
            store.append(&[b.clone(), c.clone()], FEED).await.unwrap(),
            1
        );
        assert_eq!(store.newest().await.unwrap(), 3);
        assert_eq!(
            OutcomeStore::read(&store, 3, 0, 10).await.unwrap(),
            [a, b, c]
        );
    }

    #[tokio::test]
    async fn reading_stops_at_the_number_and_the_times_asked_for() {
        let store = store().await;
        let all = [outcome("A", 1), outcome("B", 5), outcome("C", 9)];
        store.append(&all, FEED).await.unwrap();
        assert_eq!(
            OutcomeStore::read(&store, 2, 0, 10).await.unwrap(),
            all[..2]
        );
        assert_eq!(
            OutcomeStore::read(&store, 3, 2, 5).await.unwrap(),
            all[1..2]
        );
        assert_eq!(store.newest().await.unwrap(), 3);
    }
}
