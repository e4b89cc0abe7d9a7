//! Recorded outcomes: appended, never changed, numbered in the order in which they were recorded.

use async_trait::async_trait;
use kycc_audit::{AppendAudit as _, Deed, Subject};
use kycc_store::{Migration, Repeat, StoreError, retry_transient};
use serde_json::json;

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

/// Numbers after `after` up to `through`, of outcomes that occurred by `until_micros`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) after: i64,
    pub(crate) through: i64,
    pub(crate) until_micros: i64,
}

/// An outcome's place among those of its party: by time, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) occurred_at_micros: i64,
    pub(crate) number: i64,
}

impl Place {
    /// Before the first.
    pub(crate) const START: Self = Self {
        occurred_at_micros: i64::MIN,
        number: 0,
    };
}

/// An outcome and how it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) outcome: Outcome,
    pub(crate) place: Place,
    pub(crate) source: String,
    pub(crate) recorded_by: String,
    pub(crate) recorded_at_micros: i64,
}

/// Whose chain of the audit log outcomes are told in.
pub(crate) const SERVICE: &str = "labels";

/// What is told of a message that added something. `newest`: the number of the last outcome before it.
fn deed(told: usize, recorded: i64, newest: i64, recording: Recording<'_>) -> Deed {
    Deed {
        at_micros: recording.recorded_at_micros,
        principal: recording.recorded_by.to_owned(),
        action: "record".into(),
        subject: Subject::new("outcomes", recording.source),
        reason: String::new(),
        details: json!({
            "recorded": recorded,
            "duplicates": told as i64 - recorded,
            "first_outcome": newest + 1,
            "last_outcome": newest + recorded,
        }),
        request_id: String::new(),
        trace_id: kycc_telemetry::current_trace_id(),
    }
}

#[async_trait]
pub(crate) trait OutcomeStore: Send + Sync {
    /// Appends all of them in one transaction, with an entry in the audit log where any is new; returns how many were. One
    /// that stands word for word is left alone.
    async fn append(
        &self,
        outcomes: &[Outcome],
        recording: Recording<'_>,
    ) -> Result<u64, StoreError>;

    /// Number of the newest outcome; 0 when there is none.
    async fn newest(&self) -> Result<i64, StoreError>;

    /// Outcomes in the order of their numbers, each with its number.
    async fn read(&self, span: Span, limit: usize) -> Result<Vec<(i64, Outcome)>, StoreError>;

    /// Outcomes of one party after `after`, oldest first.
    async fn of_party(
        &self,
        party_id: &str,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Recorded>, StoreError>;
}

kycc_store::for_each_driver! {
    use sqlx::Row as _;

    #[async_trait]
    impl OutcomeStore for driver::Store {
        async fn append(&self, outcomes: &[Outcome], recording: Recording<'_>) -> Result<u64, StoreError> {
            // An outcome of a source is its own key.
            retry_transient(Repeat::ByKey, || append(self, outcomes, recording)).await
        }

        async fn newest(&self) -> Result<i64, StoreError> {
            sqlx::query("SELECT COALESCE(MAX(outcome_id), 0) FROM labels_outcomes")
                .fetch_one(driver::Store::read(self))
                .await
                .and_then(|row| row.try_get(0))
                .map_err(StoreError::during("look for the newest outcome"))
        }

        async fn read(&self, span: Span, limit: usize) -> Result<Vec<(i64, Outcome)>, StoreError> {
            let rows = sqlx::query(
                "SELECT outcome_id, party_id, kind, days_past_due, occurred_at FROM labels_outcomes
                 WHERE outcome_id > $1 AND outcome_id <= $2 AND occurred_at <= $3 ORDER BY outcome_id LIMIT $4",
            )
            .bind(span.after)
            .bind(span.through)
            .bind(span.until_micros)
            .bind(limit as i64)
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("read outcomes"))?;
            rows.iter()
                .map(|row| Ok((row.try_get("outcome_id")?, outcome(row)?)))
                .collect::<Result<_, _>>()
                .map_err(StoreError::during("read outcomes"))
        }

        async fn of_party(&self, party_id: &str, after: Place, limit: usize) -> Result<Vec<Recorded>, StoreError> {
            let rows = sqlx::query(
                "SELECT outcome_id, party_id, kind, days_past_due, occurred_at, source, recorded_at, recorded_by
                 FROM labels_outcomes
                 WHERE party_id = $1 AND (occurred_at > $2 OR (occurred_at = $2 AND outcome_id > $3))
                 ORDER BY occurred_at, outcome_id LIMIT $4",
            )
            .bind(party_id)
            .bind(after.occurred_at_micros)
            .bind(after.number)
            .bind(limit as i64)
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("list outcomes"))?;
            rows.iter().map(recorded).collect::<Result<_, _>>().map_err(StoreError::during("list outcomes"))
        }
    }

    /// Numbers go up by one in the order of commits, also with several writers: whoever has read up to the newest has
    /// missed none.
    async fn append(
        store: &driver::Store,
        outcomes: &[Outcome],
        recording: Recording<'_>,
    ) -> Result<u64, StoreError> {
        let mut tx = store.begin_exclusive(SERVICE).await?;
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
        if recorded > 0 {
            let deed = deed(outcomes.len(), recorded, newest, recording);
            tx.append_audit(SERVICE, &[deed]).await?;
        }
        tx.commit().await?;
        Ok(recorded.unsigned_abs())
    }

    fn recorded(row: &driver::Row) -> Result<Recorded, sqlx::Error> {
        let outcome = outcome(row)?;
        let place = Place {
            occurred_at_micros: outcome.occurred_at_micros,
            number: row.try_get("outcome_id")?,
        };
        Ok(Recorded {
            outcome,
            place,
            source: row.try_get("source")?,
            recorded_by: row.try_get("recorded_by")?,
            recorded_at_micros: row.try_get("recorded_at")?,
        })
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
mod tests;
