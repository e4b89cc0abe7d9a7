//! Scans: rows in order, columns and ordinals as asked, damage found before rows are trusted.

use super::*;
use crate::datasets::{OUTCOMES, SCORES, TRANSACTIONS};
use crate::testing::{id, outcomes, scores, transactions};
use futures::TryStreamExt;

on_every_store!(
    a_lake_that_answers_says_so,
    scans_keep_row_order_over_row_groups_and_files,
    columns_come_in_the_order_asked_for,
    ordinals_need_a_column_of_ordinals,
    damaged_files_are_found_and_named,
    damaged_manifests_are_found_and_named,
);

async fn a_lake_that_answers_says_so(place: &Place) {
    place.lake().ping().await.unwrap();
}

async fn scans_keep_row_order_over_row_groups_and_files(place: &Place) {
    let lake = place.lake();
    let id = id(&TRANSACTIONS, "k");
    let rows = transactions(0..11_000, 10);
    let manifest = write_whole(&lake, &id, &rows).await;
    assert_eq!(manifest.files.len(), 4);
    assert_eq!(manifest.files[0].rows, 32_768);
    for ordinals in [
        0..1,
        5..5,
        408..412,
        3_270..3_280,
        10_990..200_000,
        0..11_000,
    ] {
        let found = lake
            .read(&id, Some(&["txn_id", "amount"]), Some(ordinals.clone()))
            .await
            .unwrap();
        let end = ordinals.end.min(11_000) as usize * 10;
        let start = (ordinals.start as usize * 10).min(end);
        let expected = rows.project(&[2, 5]).unwrap().slice(start, end - start);
        assert_eq!(found, expected, "{ordinals:?}");
    }
}

async fn columns_come_in_the_order_asked_for(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let rows = scores(0..100);
    write_whole(&lake, &id, &rows).await;
    let found = lake
        .read(&id, Some(&["band", "reasons", "party_id"]), Some(3..5))
        .await
        .unwrap();
    assert_eq!(found, rows.project(&[5, 8, 1]).unwrap().slice(3, 2));
    let error = lake.read(&id, Some(&["scroe"]), None).await.unwrap_err();
    assert_eq!(error.reason(), "UNKNOWN_COLUMN");
    assert!(error.to_string().contains("final_score"), "{error}");
}

async fn ordinals_need_a_column_of_ordinals(place: &Place) {
    let lake = place.lake();
    let id = id(&OUTCOMES, "k");
    write_whole(&lake, &id, &outcomes(&["b", "a"])).await;
    assert!(lake.scan(&id, None, Some(0..1)).await.is_err());
    let rows: Vec<_> = lake
        .scan(&id, None, None)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rows[0], outcomes(&["b", "a"]));
}

async fn damaged_files_are_found_and_named(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let manifest = write_whole(&lake, &id, &scores(0..100)).await;
    let file = format!("scores/BATCH_001/k/{}", manifest.files[0].path);
    let bytes = place.bytes(&file).await;

    let mut flipped = bytes.to_vec();
    flipped[bytes.len() / 2] ^= 1;
    place.overwrite(&file, flipped).await;
    let error = lake.verify(&id).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");

    let mut footless = bytes.to_vec();
    footless[bytes.len() - 4..].copy_from_slice(b"RAP1");
    place.overwrite(&file, footless).await;
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");
    assert!(error.to_string().contains("cannot be decoded"), "{error}");

    place.overwrite(&file, bytes.slice(..bytes.len() - 1)).await;
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");
    assert!(error.to_string().contains("part-0000.parquet"), "{error}");
    assert!(!error.retryable());

    place.remove(&file).await;
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert!(error.to_string().contains("it is missing"), "{error}");
}

async fn damaged_manifests_are_found_and_named(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    write_whole(&lake, &id, &scores(0..100)).await;
    let path = "scores/BATCH_001/k/manifest.json";
    let text = String::from_utf8(place.bytes(path).await.to_vec()).unwrap();
    let found = |text: String| {
        let (lake, id) = (lake.clone(), id.clone());
        async move {
            place.overwrite(path, text).await;
            lake.manifest(&id).await.unwrap_err()
        }
    };
    let error = found(text[..text.len() / 2].to_owned()).await;
    assert_eq!(error.reason(), "MANIFEST_CORRUPT");
    assert!(error.to_string().contains(path), "{error}");
    let error = found(text.replace("\"key\":\"k\"", "\"key\":\"other\"")).await;
    assert_eq!(error.reason(), "MANIFEST_CORRUPT");
    let error = found(text.replace("\"schema_version\":1", "\"schema_version\":9")).await;
    assert_eq!(error.reason(), "SCHEMA_VERSION_MISMATCH");
}
