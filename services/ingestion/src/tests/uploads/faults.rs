//! The store fails around the moment at which a part begins to stand. Whatever happened: nothing acknowledged is lost, and
//! nothing is there twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use kycc_proto::ingestion::v1::Table::Parties;
use kycc_store::StoreError;

use super::harness::{Place, Process, parties};
use crate::core::upload::{StreamId, UploadId, UploadState};
use crate::limits::Limits;
use crate::store::{
    Appended, Bounds, Change, Created, NewUpload, Opened, Part, TableTotals, Upload, UploadStore,
    Wanted,
};

/// Fails the next append: before it happens, or after.
struct Faulty {
    inner: Arc<dyn UploadStore>,
    before: AtomicBool,
    after: AtomicBool,
}

fn lost() -> StoreError {
    let source = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    StoreError::during("take a part of an upload")(sqlx::Error::Io(source))
}

#[async_trait]
impl UploadStore for Faulty {
    async fn create(
        &self,
        new: &NewUpload,
        bounds: Bounds,
        now: i64,
    ) -> Result<Created, StoreError> {
        self.inner.create(new, bounds, now).await
    }

    async fn get(&self, upload: &UploadId) -> Result<Option<Upload>, StoreError> {
        self.inner.get(upload).await
    }

    async fn list(&self, wanted: &Wanted) -> Result<Vec<Upload>, StoreError> {
        self.inner.list(wanted).await
    }

    async fn streams(&self, upload: &UploadId) -> Result<Vec<(StreamId, i64)>, StoreError> {
        self.inner.streams(upload).await
    }

    async fn totals(&self, upload: &UploadId) -> Result<Vec<TableTotals>, StoreError> {
        self.inner.totals(upload).await
    }

    async fn parts(&self, upload: &UploadId) -> Result<Vec<Part>, StoreError> {
        self.inner.parts(upload).await
    }

    async fn open_stream(
        &self,
        upload: &UploadId,
        stream: &StreamId,
        bounds: Bounds,
    ) -> Result<Opened, StoreError> {
        self.inner.open_stream(upload, stream, bounds).await
    }

    async fn append(
        &self,
        upload: &UploadId,
        part: &Part,
        bounds: Bounds,
        now: i64,
    ) -> Result<Appended, StoreError> {
        if self.before.swap(false, Ordering::SeqCst) {
            return Err(lost());
        }
        let appended = self.inner.append(upload, part, bounds, now).await;
        if self.after.swap(false, Ordering::SeqCst) {
            return Err(lost());
        }
        appended
    }

    async fn change(&self, change: Change<'_>) -> Result<bool, StoreError> {
        self.inner.change(change).await
    }

    async fn untouched(
        &self,
        states: &[UploadState],
        before: i64,
        limit: usize,
    ) -> Result<Vec<UploadId>, StoreError> {
        self.inner.untouched(states, before, limit).await
    }
}

async fn faulty(place: &Place) -> (Arc<Faulty>, Process) {
    let store = Arc::new(Faulty {
        inner: Arc::clone(&place.store),
        before: AtomicBool::default(),
        after: AtomicBool::default(),
    });
    let process = place
        .process_with(
            Limits::default(),
            Arc::clone(&store) as Arc<dyn UploadStore>,
        )
        .await;
    (store, process)
}

/// All names of parties that a commit lays out, in order.
async fn committed(
    place: &Place,
    process: &Process,
    upload: &kycc_proto::ingestion::v1::Upload,
) -> Vec<String> {
    process.commit(upload).await.unwrap();
    let folder = place
        .bench
        .path(&format!(".uploads/{}/batch", upload.upload_id));
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "ndjson"))
        .collect();
    files.sort();
    let mut names = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            names.push(record["party_id"].as_str().unwrap().to_owned());
        }
    }
    names
}

fn all(count: u64) -> Vec<String> {
    (0..count).map(|n| format!("P{n}")).collect()
}

#[tokio::test]
async fn a_part_that_was_written_but_not_recorded_is_sent_again_and_counts_once() {
    let place = Place::new().await;
    let (store, first) = faulty(&place).await;
    let second = place.process().await;
    let upload = first.create("").await.unwrap();
    let mut call = first.stream(&upload, "s").await;
    call.block(0, Parties, &parties(0..3)).await;
    call.until(3).await;
    store.before.store(true, Ordering::SeqCst);
    call.block(3, Parties, &parties(3..6)).await;
    let error = call.error().await;
    assert_eq!(error.reason(), "STORE_UNAVAILABLE");
    assert!(error.is_transient());

    let mut call = second.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 3);
    call.block(3, Parties, &parties(3..6)).await;
    call.until(6).await;
    assert_eq!(committed(&place, &second, &upload).await, all(6));
}

#[tokio::test]
async fn a_part_that_was_recorded_but_not_acknowledged_is_kept_and_counts_once() {
    let place = Place::new().await;
    let (store, first) = faulty(&place).await;
    let second = place.process().await;
    let upload = first.create("").await.unwrap();
    let mut call = first.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 0);
    store.after.store(true, Ordering::SeqCst);
    call.block(0, Parties, &parties(0..3)).await;
    assert_eq!(call.error().await.reason(), "STORE_UNAVAILABLE");

    let mut call = second.stream(&upload, "s").await;
    assert_eq!(call.next().await.unwrap().committed_offset, 3);
    // A caller that goes by what it was acknowledged, which is nothing.
    call.block(0, Parties, &parties(0..5)).await;
    call.until(5).await;
    assert_eq!(committed(&place, &second, &upload).await, all(5));
}

#[tokio::test]
async fn a_file_that_a_dead_process_left_half_written_is_never_read() {
    let place = Place::new().await;
    let process = place.process().await;
    let upload = process.create("").await.unwrap();
    process
        .send(&upload, "s", &[(Parties, parties(0..2))])
        .await;
    let stray = format!(".uploads/{}/parts/stray.ndjson", upload.upload_id);
    place.bench.put(&stray, "{\"party_id\": \"P7\", \"na");
    assert_eq!(committed(&place, &process, &upload).await, all(2));
}
