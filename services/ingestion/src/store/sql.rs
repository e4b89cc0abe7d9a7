//! [`UploadStore`] on both databases.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_store::{Repeat, StoreError, retry_transient};

use super::{
    Appended, Bounds, Change, Created, NewUpload, Opened, Part, TableTotals, Upload, UploadStore,
    Wanted,
};
use crate::core::table::Table;
use crate::core::upload::{StreamId, UploadId, UploadState};

/// What a request asked for, so that the same id with another wish is told apart.
fn asked(new: &NewUpload) -> String {
    serde_json::json!([
        new.batch_id,
        new.as_of_micros,
        new.display_name,
        new.labels,
        new.created_by
    ])
    .to_string()
}

fn labels_text(labels: &BTreeMap<String, String>) -> String {
    serde_json::to_string(labels).expect("a map of texts is JSON")
}

/// A text of the store that only this program writes.
fn decoded<T, E>(column: &'static str, parsed: Result<T, E>) -> Result<T, sqlx::Error>
where
    E: std::error::Error + Send + Sync + 'static,
{
    parsed.map_err(|source| sqlx::Error::ColumnDecode {
        index: column.into(),
        source: source.into(),
    })
}

fn known<T>(column: &'static str, found: Option<T>, text: &str) -> Result<T, sqlx::Error> {
    found.ok_or_else(|| sqlx::Error::ColumnDecode {
        index: column.into(),
        source: format!("{text:?} is not known").into(),
    })
}

const UPLOAD: &str = "upload_id, batch_id, state, as_of, display_name, labels, created_at, updated_at, created_by, run_id, version";

kycc_store::for_each_driver! {
    use sqlx::{AssertSqlSafe, Row as _};

    #[async_trait]
    impl UploadStore for driver::Store {
        async fn create(&self, new: &NewUpload, bounds: Bounds, now_micros: i64) -> Result<Created, StoreError> {
            let repeat = if new.request_id.is_empty() { Repeat::NotApplied } else { Repeat::ByKey };
            retry_transient(repeat, || create(self, new, bounds, now_micros)).await
        }

        async fn get(&self, upload_id: &UploadId) -> Result<Option<Upload>, StoreError> {
            let failed = StoreError::during("read an upload");
            let found = sqlx::query(AssertSqlSafe(format!("SELECT {UPLOAD} FROM ingestion_uploads WHERE upload_id = $1")))
                .bind(upload_id.as_str())
                .fetch_optional(driver::Store::read(self))
                .await;
            found.and_then(|row| row.as_ref().map(upload).transpose()).map_err(failed)
        }

        async fn list(&self, wanted: &Wanted) -> Result<Vec<Upload>, StoreError> {
            let (at, id) = wanted.after.clone().unwrap_or((i64::MAX, String::new()));
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT {UPLOAD} FROM ingestion_uploads
                 WHERE ($1 = '' OR batch_id = $1) AND ($2 = '' OR state = $2)
                   AND (created_at < $3 OR (created_at = $3 AND upload_id < $4))
                 ORDER BY created_at DESC, upload_id DESC LIMIT $5",
            )))
            .bind(wanted.batch_id.as_ref().map_or("", BatchId::as_str))
            .bind(wanted.state.map_or("", UploadState::name))
            .bind(at)
            .bind(id)
            .bind(wanted.limit as i64)
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("list uploads"))?;
            rows.iter().map(upload).collect::<Result<_, _>>().map_err(StoreError::during("list uploads"))
        }

        async fn streams(&self, upload_id: &UploadId) -> Result<Vec<(StreamId, i64)>, StoreError> {
            let rows = sqlx::query("SELECT stream_id, next_offset FROM ingestion_streams WHERE upload_id = $1 ORDER BY stream_id")
                .bind(upload_id.as_str())
                .fetch_all(driver::Store::read(self))
                .await
                .map_err(StoreError::during("read the streams of an upload"))?;
            let stream = |row: &driver::Row| {
                let id: String = row.try_get("stream_id")?;
                Ok((decoded("stream_id", StreamId::new(&id))?, row.try_get("next_offset")?))
            };
            rows.iter().map(stream).collect::<Result<_, _>>().map_err(StoreError::during("read the streams of an upload"))
        }

        async fn totals(&self, upload_id: &UploadId) -> Result<Vec<TableTotals>, StoreError> {
            // Sums of BIGINT are NUMERIC on Postgres.
            let rows = sqlx::query(
                "SELECT table_name, CAST(SUM(records) AS BIGINT) AS records,
                    CAST(SUM(bad_records) AS BIGINT) AS bad_records, CAST(SUM(bytes) AS BIGINT) AS bytes
                 FROM ingestion_parts WHERE upload_id = $1 GROUP BY table_name",
            )
            .bind(upload_id.as_str())
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("count the records of an upload"))?;
            let totals = |row: &driver::Row| {
                Ok(TableTotals {
                    table: table(row)?,
                    records: row.try_get("records")?,
                    bad_records: row.try_get("bad_records")?,
                    bytes: row.try_get("bytes")?,
                })
            };
            let mut all: Vec<TableTotals> = rows
                .iter()
                .map(totals)
                .collect::<Result<_, _>>()
                .map_err(StoreError::during("count the records of an upload"))?;
            all.sort_by_key(|totals| totals.table);
            Ok(all)
        }

        async fn parts(&self, upload_id: &UploadId) -> Result<Vec<Part>, StoreError> {
            let rows = sqlx::query(
                "SELECT stream_id, first_offset, table_name, records, bad_records, bytes, file FROM ingestion_parts
                 WHERE upload_id = $1 ORDER BY stream_id, first_offset",
            )
            .bind(upload_id.as_str())
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("read the parts of an upload"))?;
            rows.iter().map(part).collect::<Result<_, _>>().map_err(StoreError::during("read the parts of an upload"))
        }

        async fn open_stream(&self, upload_id: &UploadId, stream_id: &StreamId, bounds: Bounds) -> Result<Opened, StoreError> {
            retry_transient(Repeat::ByKey, || open_stream(self, upload_id, stream_id, bounds)).await
        }

        async fn append(&self, upload_id: &UploadId, part: &Part, bounds: Bounds, now_micros: i64) -> Result<Appended, StoreError> {
            // A part is known by its file.
            retry_transient(Repeat::ByKey, || append(self, upload_id, part, bounds, now_micros)).await
        }

        async fn change(&self, change: Change<'_>) -> Result<bool, StoreError> {
            retry_transient(Repeat::NotApplied, || apply(self, change)).await
        }

        async fn untouched(&self, states: &[UploadState], before_micros: i64, limit: usize) -> Result<Vec<UploadId>, StoreError> {
            let [first, second] = two(states);
            let rows = sqlx::query(
                "SELECT upload_id FROM ingestion_uploads WHERE state IN ($1, $2) AND updated_at < $3
                 ORDER BY updated_at LIMIT $4",
            )
            .bind(first)
            .bind(second)
            .bind(before_micros)
            .bind(limit as i64)
            .fetch_all(driver::Store::read(self))
            .await
            .map_err(StoreError::during("look for uploads that nobody touches"))?;
            rows.iter()
                .map(|row| decoded("upload_id", UploadId::new(&row.try_get::<String, _>("upload_id")?)))
                .collect::<Result<_, _>>()
                .map_err(StoreError::during("look for uploads that nobody touches"))
        }
    }

    async fn create(store: &driver::Store, new: &NewUpload, bounds: Bounds, now_micros: i64) -> Result<Created, StoreError> {
        let failed = || StoreError::during("create an upload");
        let mut tx = store.begin_exclusive("ingestion uploads").await?;
        if !new.request_id.is_empty() {
            let earlier = sqlx::query("SELECT asked, upload_id FROM ingestion_requests WHERE request_id = $1")
                .bind(&new.request_id)
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed())?;
            if let Some(row) = earlier {
                let same = row.try_get::<String, _>("asked").map_err(failed())? == asked(new);
                let id: String = row.try_get("upload_id").map_err(failed())?;
                if !same {
                    return Ok(Created::RequestReused(id));
                }
                let row = sqlx::query(AssertSqlSafe(format!("SELECT {UPLOAD} FROM ingestion_uploads WHERE upload_id = $1")))
                    .bind(id)
                    .fetch_one(&mut *tx)
                    .await
                    .map_err(failed())?;
                return upload(&row).map(Created::Before).map_err(failed());
            }
        }
        let open = sqlx::query("SELECT upload_id FROM ingestion_uploads WHERE batch_id = $1 AND state IN ('open', 'committing')")
            .bind(new.batch_id.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed())?;
        if let Some(row) = open {
            return row.try_get("upload_id").map(Created::Exists).map_err(failed());
        }
        let open: i64 = sqlx::query("SELECT COUNT(*) FROM ingestion_uploads WHERE state = 'open'")
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed())?;
        if open >= bounds.open_uploads {
            return Ok(Created::TooMany);
        }
        sqlx::query(
            "INSERT INTO ingestion_uploads (upload_id, batch_id, state, as_of, display_name, labels, created_at, updated_at,
                created_by, run_id, version, parts, bytes)
             VALUES ($1, $2, 'open', $3, $4, $5, $6, $6, $7, NULL, 1, 0, 0)",
        )
        .bind(new.upload_id.as_str())
        .bind(new.batch_id.as_str())
        .bind(new.as_of_micros)
        .bind(&new.display_name)
        .bind(labels_text(&new.labels))
        .bind(now_micros)
        .bind(&new.created_by)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        if !new.request_id.is_empty() {
            sqlx::query("INSERT INTO ingestion_requests (request_id, asked, upload_id) VALUES ($1, $2, $3)")
                .bind(&new.request_id)
                .bind(asked(new))
                .bind(new.upload_id.as_str())
                .execute(&mut *tx)
                .await
                .map_err(failed())?;
        }
        tx.commit().await?;
        Ok(Created::New(Upload {
            upload_id: new.upload_id.clone(),
            batch_id: new.batch_id.clone(),
            state: UploadState::Open,
            as_of_micros: new.as_of_micros,
            display_name: new.display_name.clone(),
            labels: new.labels.clone(),
            created_at_micros: now_micros,
            updated_at_micros: now_micros,
            created_by: new.created_by.clone(),
            run_id: None,
            version: 1,
        }))
    }

    async fn open_stream(store: &driver::Store, upload_id: &UploadId, stream_id: &StreamId, bounds: Bounds) -> Result<Opened, StoreError> {
        let failed = || StoreError::during("open a stream of an upload");
        let mut tx = store.begin().await?;
        // The upload's row first, as all that write to an upload do. What is open stays as it is.
        let open = sqlx::query("UPDATE ingestion_uploads SET state = state WHERE upload_id = $1 AND state = 'open'")
            .bind(upload_id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        if open.rows_affected() == 0 {
            return Ok(Opened::NotOpen);
        }
        let at = sqlx::query("SELECT next_offset FROM ingestion_streams WHERE upload_id = $1 AND stream_id = $2")
            .bind(upload_id.as_str())
            .bind(stream_id.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed())?;
        if let Some(row) = at {
            return row.try_get(0).map(Opened::At).map_err(failed());
        }
        let streams: i64 = sqlx::query("SELECT COUNT(*) FROM ingestion_streams WHERE upload_id = $1")
            .bind(upload_id.as_str())
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(failed())?;
        if streams >= bounds.streams {
            return Ok(Opened::TooManyStreams);
        }
        sqlx::query("INSERT INTO ingestion_streams (upload_id, stream_id, next_offset) VALUES ($1, $2, 0)")
            .bind(upload_id.as_str())
            .bind(stream_id.as_str())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await?;
        Ok(Opened::At(0))
    }

    async fn append(
        store: &driver::Store,
        upload_id: &UploadId,
        part: &Part,
        bounds: Bounds,
        now_micros: i64,
    ) -> Result<Appended, StoreError> {
        let failed = || StoreError::during("take a part of an upload");
        let mut tx = store.begin().await?;
        // Holds the upload until the end: nobody seals it meanwhile.
        let row = sqlx::query(
            "UPDATE ingestion_uploads SET parts = parts + 1, bytes = bytes + $2, version = version + 1, updated_at = $3
             WHERE upload_id = $1 AND state = 'open' RETURNING parts, bytes",
        )
        .bind(upload_id.as_str())
        .bind(part.bytes)
        .bind(now_micros)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed())?;
        let earlier = sqlx::query("SELECT file FROM ingestion_parts WHERE upload_id = $1 AND stream_id = $2 AND first_offset = $3")
            .bind(upload_id.as_str())
            .bind(part.stream_id.as_str())
            .bind(part.first_offset)
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed())?;
        if let Some(earlier) = earlier {
            let file: String = earlier.try_get(0).map_err(failed())?;
            return Ok(if file == part.file { Appended::Stands } else { Appended::Elsewhere });
        }
        let Some(row) = row else {
            return Ok(Appended::NotOpen);
        };
        if row.try_get::<i64, _>("parts").map_err(failed())? > bounds.parts {
            return Ok(Appended::TooManyParts);
        }
        if row.try_get::<i64, _>("bytes").map_err(failed())? > bounds.bytes {
            return Ok(Appended::TooManyBytes);
        }
        let moved = sqlx::query(
            "UPDATE ingestion_streams SET next_offset = next_offset + $4
             WHERE upload_id = $1 AND stream_id = $2 AND next_offset = $3",
        )
        .bind(upload_id.as_str())
        .bind(part.stream_id.as_str())
        .bind(part.first_offset)
        .bind(part.records)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        if moved.rows_affected() == 0 {
            return Ok(Appended::Elsewhere);
        }
        sqlx::query(
            "INSERT INTO ingestion_parts (upload_id, stream_id, first_offset, table_name, records, bad_records, bytes, file)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(upload_id.as_str())
        .bind(part.stream_id.as_str())
        .bind(part.first_offset)
        .bind(part.table.name())
        .bind(part.records)
        .bind(part.bad_records)
        .bind(part.bytes)
        .bind(&part.file)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        tx.commit().await?;
        Ok(Appended::Stands)
    }

    async fn apply(store: &driver::Store, change: Change<'_>) -> Result<bool, StoreError> {
        let [first, second] = two(change.from);
        let mut tx = store.begin().await?;
        let changed = sqlx::query(
            "UPDATE ingestion_uploads SET state = $2, as_of = COALESCE($5, as_of), run_id = COALESCE($6, run_id),
                version = version + 1, updated_at = $7
             WHERE upload_id = $1 AND state IN ($3, $4) AND ($8 = 0 OR version = $8)",
        )
        .bind(change.upload_id.as_str())
        .bind(change.to.name())
        .bind(first)
        .bind(second)
        .bind(change.as_of_micros)
        .bind(change.run_id)
        .bind(change.now_micros)
        .bind(change.version.unwrap_or(0))
        .execute(&mut *tx)
        .await
        .map_err(StoreError::during("change the state of an upload"))?;
        tx.commit().await?;
        Ok(changed.rows_affected() == 1)
    }

    fn upload(row: &driver::Row) -> Result<Upload, sqlx::Error> {
        let state: String = row.try_get("state")?;
        Ok(Upload {
            upload_id: decoded("upload_id", UploadId::new(&row.try_get::<String, _>("upload_id")?))?,
            batch_id: decoded("batch_id", BatchId::new(row.try_get::<String, _>("batch_id")?))?,
            state: known("state", UploadState::named(&state), &state)?,
            as_of_micros: row.try_get("as_of")?,
            display_name: row.try_get("display_name")?,
            labels: decoded("labels", serde_json::from_str(&row.try_get::<String, _>("labels")?))?,
            created_at_micros: row.try_get("created_at")?,
            updated_at_micros: row.try_get("updated_at")?,
            created_by: row.try_get("created_by")?,
            run_id: row.try_get("run_id")?,
            version: row.try_get("version")?,
        })
    }

    fn part(row: &driver::Row) -> Result<Part, sqlx::Error> {
        Ok(Part {
            stream_id: decoded("stream_id", StreamId::new(&row.try_get::<String, _>("stream_id")?))?,
            first_offset: row.try_get("first_offset")?,
            table: table(row)?,
            records: row.try_get("records")?,
            bad_records: row.try_get("bad_records")?,
            bytes: row.try_get("bytes")?,
            file: row.try_get("file")?,
        })
    }

    fn table(row: &driver::Row) -> Result<Table, sqlx::Error> {
        let name: String = row.try_get("table_name")?;
        known("table_name", Table::named(&name), &name)
    }
}

/// The names of one or two states, as a statement binds them.
fn two(states: &[UploadState]) -> [&'static str; 2] {
    let first = states.first().map_or("", |state| state.name());
    [first, states.get(1).map_or(first, |state| state.name())]
}
