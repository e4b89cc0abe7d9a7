//! Only what nobody refers to is removed, and only when it is old.

use super::*;
use crate::datasets::{MODEL, SCORES};
use crate::testing::{id, on_disk, scores};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

const FUTURE: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;
const PAST: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

#[tokio::test]
async fn unreferenced_versions_go_and_referenced_ones_stay() {
    let (lake, folder) = on_disk();
    let (kept, dropped) = (id(&SCORES, "kept"), id(&SCORES, "dropped"));
    write_whole(&lake, &kept, &scores(0..10)).await;
    write(&lake, &kept, Shard::WHOLE, attempt(2), &scores(0..10), 5)
        .await
        .unwrap();
    write_whole(&lake, &dropped, &scores(0..10)).await;
    let model = id(&MODEL, "m");
    lake.put_document(
        &MODEL,
        &model,
        attempt(1),
        &serde_json::json!({}),
        Metadata::new(),
    )
    .await
    .unwrap();
    let spilled = folder.path().join("lake/.spill/datafusion-x");
    std::fs::create_dir_all(&spilled).unwrap();
    std::fs::write(spilled.join("rows"), "left by a process that is gone").unwrap();
    let versions = lake.versions(&kept.dataset, &kept.batch).await.unwrap();
    assert_eq!(versions, [dropped.clone(), kept.clone()]);

    let keep: HashSet<_> = [kept.clone(), model.clone()].into();
    let young = lake.delete_unreferenced(&keep, PAST).await.unwrap();
    assert_eq!(young, crate::Removed::default());

    let removed = lake.delete_unreferenced(&keep, FUTURE).await.unwrap();
    // The dropped version's two files, the lost attempt's one, the spilled one.
    assert_eq!((removed.versions, removed.files), (1, 4));
    assert!(removed.bytes > 0);
    assert_eq!(
        lake.versions(&kept.dataset, &kept.batch).await.unwrap(),
        std::slice::from_ref(&kept)
    );
    lake.verify(&kept).await.unwrap();
    lake.document(&model).await.unwrap();
    let again = lake.delete_unreferenced(&keep, FUTURE).await.unwrap();
    assert_eq!(again, crate::Removed::default());
}

#[tokio::test]
async fn shards_of_a_version_still_being_made_stay() {
    let (lake, _folder) = on_disk();
    let id = id(&SCORES, "k");
    let half = |index| {
        let shard = Shard { index, count: 2 };
        (shard, scores(shard.ordinals(3_000)))
    };
    let (shard, rows) = half(0);
    write(&lake, &id, shard, attempt(1), &rows, 500)
        .await
        .unwrap();
    let keep: HashSet<_> = [id.clone()].into();
    lake.delete_unreferenced(&keep, FUTURE).await.unwrap();
    let (shard, rows) = half(1);
    let published = write(&lake, &id, shard, attempt(2), &rows, 500)
        .await
        .unwrap();
    assert!(published.manifest().is_some());
    lake.delete_unreferenced(&keep, FUTURE).await.unwrap();
    assert_eq!(lake.read(&id, None, None).await.unwrap(), scores(0..3_000));
}
