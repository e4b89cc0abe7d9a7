//! Files larger than what clients of object stores cut into parts (8 MiB): put whole or not at all, read in ranges.

use super::*;
use crate::datasets::{MODEL, TRANSACTIONS};
use crate::testing::{id, transactions};
use arrow::array::{ArrayRef, StringArray};
use std::sync::Arc;

const PART: u64 = 8 * 1024 * 1024;

on_every_store!(
    ranges_of_a_large_file_come_back,
    a_large_document_comes_back
);

/// Letters that do not compress: hashes of a number.
fn noise(number: usize, letters: usize) -> String {
    let hashes = (0..letters.div_ceil(64)).map(|part| {
        blake3::hash(format!("{number}/{part}").as_bytes())
            .to_hex()
            .to_string()
    });
    hashes.collect()
}

async fn ranges_of_a_large_file_come_back(place: &Place) {
    let lake = place.lake();
    let id = id(&TRANSACTIONS, "k");
    let rows = transactions(0..3_276, 10);
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows.num_rows()).map(|row| noise(row, 640)),
    ));
    let mut columns = rows.columns().to_vec();
    columns[2] = texts;
    let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let manifest = write_whole(&lake, &id, &rows).await;
    assert_eq!(manifest.files.len(), 1);
    assert!(manifest.files[0].bytes > PART, "{:?}", manifest.files[0]);
    let lake = place.reopened();
    for (from, to) in [(0, 1), (1_600, 1_700), (3_275, 3_276), (0, 3_276)] {
        let found = lake.read(&id, None, Some(from..to)).await.unwrap();
        let (from, to) = (from as usize * 10, to as usize * 10);
        assert_eq!(found, rows.slice(from, to - from));
    }
    lake.verify(&id).await.unwrap();
}

async fn a_large_document_comes_back(place: &Place) {
    let lake = place.lake();
    let id = id(&MODEL, "k");
    let document = serde_json::json!({"weights": noise(0, 9 * 1024 * 1024)});
    let put = |number| lake.put_document(&MODEL, &id, attempt(number), &document, Metadata::new());
    let first = put(1).await.unwrap();
    assert!(first.manifest().unwrap().bytes > PART);
    // The same attempt, carried out twice.
    assert_eq!(put(1).await.unwrap(), first);
    assert_eq!(place.reopened().document(&id).await.unwrap(), document);
}
