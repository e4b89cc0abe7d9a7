//! Reads the relationships that count as of an instant.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{TimestampMicrosecondType, UInt32Type};
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use kycc_lake::VersionId;
use kycc_runtime::{TaskContext, TaskError};

/// Pairs of ordinals (from, to), one per relationship.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Established {
    pub(super) pairs: Vec<(u32, u32)>,
    /// How many relationships are younger than the instant and left out.
    pub(super) later: u64,
}

/// Relationships established at or before `as_of`; one without a date counts as established.
pub(super) async fn established(
    cx: &TaskContext,
    relationships: &VersionId,
    as_of: DateTime<Utc>,
) -> Result<Established, TaskError> {
    let columns = ["from_ord", "to_ord", "established_date"];
    let mut rows = cx.lake().scan(relationships, Some(&columns), None).await?;
    let mut established = Established::default();
    while let Some(batch) = rows.try_next().await? {
        cx.check_cancelled()?;
        established.add(&batch, as_of.timestamp_micros());
    }
    Ok(established)
}

impl Established {
    fn add(&mut self, batch: &RecordBatch, as_of: i64) {
        let from = batch.column(0).as_primitive::<UInt32Type>().values();
        let to = batch.column(1).as_primitive::<UInt32Type>().values();
        let dates = batch.column(2).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            if dates.is_valid(row) && dates.value(row) > as_of {
                self.later += 1;
            } else {
                self.pairs.push((from[row], to[row]));
            }
        }
    }
}
