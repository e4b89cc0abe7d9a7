//! Scans: rows in order, columns and ordinals as asked, damage found before rows are trusted.

use super::*;
use crate::datasets::{OUTCOMES, SCORES, TRANSACTIONS};
use crate::testing::{id, on_disk, outcomes, scores, transactions};
use futures::TryStreamExt;

#[tokio::test]
async fn scans_keep_row_order_over_row_groups_and_files() {
    let (lake, _folder) = on_disk();
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

#[tokio::test]
async fn columns_come_in_the_order_asked_for() {
    let lake = Lake::open("memory:").unwrap();
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

#[tokio::test]
async fn ordinals_need_a_column_of_ordinals() {
    let lake = Lake::open("memory:").unwrap();
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

#[tokio::test]
async fn damaged_files_and_manifests_are_found_and_named() {
    let (lake, folder) = on_disk();
    let id = id(&SCORES, "k");
    let manifest = write_whole(&lake, &id, &scores(0..100)).await;
    let version = folder.path().join("lake/scores/BATCH_001/k");
    let file = version.join(&manifest.files[0].path);
    let bytes = std::fs::read(&file).unwrap();

    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&file, flipped).unwrap();
    let error = lake.verify(&id).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");

    let mut footless = bytes.clone();
    footless[bytes.len() - 4..].copy_from_slice(b"RAP1");
    std::fs::write(&file, footless).unwrap();
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");
    assert!(error.to_string().contains("cannot be decoded"), "{error}");

    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert_eq!(error.reason(), "DATA_FILE_DAMAGED");
    assert!(error.to_string().contains("part-0000.parquet"), "{error}");
    assert!(!error.retryable());

    std::fs::remove_file(&file).unwrap();
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert!(error.to_string().contains("it is missing"), "{error}");

    let path = version.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = lake.manifest(&id).await.unwrap_err();
    assert_eq!(error.reason(), "MANIFEST_CORRUPT");
    assert!(
        error
            .to_string()
            .contains("scores/BATCH_001/k/manifest.json"),
        "{error}"
    );
    std::fs::write(&path, text.replace("\"key\":\"k\"", "\"key\":\"other\"")).unwrap();
    assert_eq!(
        lake.manifest(&id).await.unwrap_err().reason(),
        "MANIFEST_CORRUPT"
    );
    std::fs::write(
        &path,
        text.replace("\"schema_version\":1", "\"schema_version\":9"),
    )
    .unwrap();
    assert_eq!(
        lake.manifest(&id).await.unwrap_err().reason(),
        "SCHEMA_VERSION_MISMATCH"
    );
}

#[test]
fn a_lake_that_cannot_be_opened_says_why() {
    let refused = |url: &str| Lake::open(url).unwrap_err().to_string();
    assert!(
        refused("lake").contains("file:///folder"),
        "{}",
        refused("lake")
    );
    assert!(refused("file:///dev/null/lake").contains("cannot be made"));
    assert!(refused("ftp://host/x").contains("ftp"));
}
