//! The lake as its users see it: what becomes visible when, what is refused, what comes back. Every case runs on every
//! store.

mod documents;
mod faults;
mod garbage;
mod importing;
mod large;
mod local;
mod lookup;
mod publishing;
mod races;
mod reading;
mod refusals;
mod sessions;

use crate::manifest::{Manifest, Published};
use crate::metadata::Metadata;
use crate::testing::place::{Place, on_every_store};
use crate::{Lake, LakeError, Shard, VersionId};
use arrow::array::RecordBatch;
use uuid::Uuid;

fn attempt(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn counted(rows: usize) -> Metadata {
    [("parties".to_owned(), rows.into())].into_iter().collect()
}

/// Writes the rows in portions and publishes them.
async fn write(
    lake: &Lake,
    id: &VersionId,
    shard: Shard,
    attempt: Uuid,
    rows: &RecordBatch,
    portion: usize,
) -> Result<Published, LakeError> {
    let spec = crate::dataset(id.dataset.as_str())?;
    let mut writer = lake.writer(spec, id.clone(), shard, attempt);
    for start in (0..rows.num_rows()).step_by(portion) {
        writer
            .write(&rows.slice(start, portion.min(rows.num_rows() - start)))
            .await?;
    }
    writer
        .finish(counted(rows.num_rows()), |metadata| metadata)
        .await
}

async fn write_whole(lake: &Lake, id: &VersionId, rows: &RecordBatch) -> Manifest {
    let published = write(lake, id, Shard::WHOLE, attempt(1), rows, 4096)
        .await
        .unwrap();
    published
        .manifest()
        .expect("a whole version is complete")
        .clone()
}
