//! Pages of the records that a batch left out, from its dataset `rejected`. Versions are immutable, so a page is found by
//! the version's key and the number of records before it.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use futures::TryStreamExt;
use kycc_lake::datasets::REJECTED;
use kycc_lake::{Lake, VersionId};
use kycc_proto::ingestion::v1::{
    ListRejectedRecordsRequest, ListRejectedRecordsResponse, RejectedRecord,
};
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};
use kycc_runtime::lake_error;

const PAGE: (usize, usize) = (50, 1_000);

/// `id` is the batch's current version of `rejected`.
pub(crate) async fn page(
    lake: &Lake,
    id: &VersionId,
    request: &ListRejectedRecordsRequest,
) -> Result<ListRejectedRecordsResponse, ApiError> {
    let size = page_size(request.page_size, PAGE.0, PAGE.1)?;
    let first = first_of_page(id, &request.page_token)?;
    let unreadable = |error| lake_error(&error);
    let total = lake.existing(id).await.map_err(unreadable)?.rows;
    let mut rows = lake.scan(id, None, None).await.map_err(unreadable)?;
    let mut before = usize::try_from(first).unwrap_or(usize::MAX);
    let mut records = Vec::new();
    while records.len() < size
        && let Some(batch) = rows.try_next().await.map_err(unreadable)?
    {
        let skipped = before.min(batch.num_rows());
        before -= skipped;
        let taken = (batch.num_rows() - skipped).min(size - records.len());
        append(&batch.slice(skipped, taken), &mut records);
    }
    let next = first.saturating_add(records.len() as u64);
    let more = next < total && !records.is_empty();
    Ok(ListRejectedRecordsResponse {
        records,
        next_page_token: if more { token(id, next) } else { String::new() },
        total_records: total,
    })
}

fn token(id: &VersionId, first: u64) -> String {
    page_token(&format!("{first} {}", id.key))
}

fn first_of_page(id: &VersionId, token: &str) -> Result<u64, ApiError> {
    let Some(cursor) = read_page_token(token)? else {
        return Ok(0);
    };
    let position = cursor
        .split_once(' ')
        .and_then(|(first, key)| Some((first.parse().ok()?, key)));
    match position {
        Some((first, key)) if key == id.key => Ok(first),
        Some(_) => Err(ApiError::precondition(
            "BATCH_CHANGED",
            format!(
                "batch {} has been ingested anew since that page; begin with an empty page_token",
                id.batch
            ),
        )),
        None => Err(ApiError::invalid(
            "page_token",
            "is not a token of this list",
        )),
    }
}

/// The columns are those of the dataset, in its order.
fn append(rows: &RecordBatch, records: &mut Vec<RejectedRecord>) {
    debug_assert_eq!(rows.schema(), REJECTED.schema());
    let text = |column: usize, row: usize| {
        let values = rows.column(column).as_string::<i32>();
        if values.is_valid(row) {
            values.value(row).to_owned()
        } else {
            String::new()
        }
    };
    let places = rows.column(2).as_primitive::<UInt64Type>();
    records.extend((0..rows.num_rows()).map(|row| RejectedRecord {
        table: text(0, row),
        file: text(1, row),
        row: places.value(row),
        field: text(3, row),
        code: text(4, row),
        reason: text(5, row),
        record: text(6, row),
    }));
}
