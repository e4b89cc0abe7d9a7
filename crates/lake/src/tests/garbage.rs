//! Only what nobody refers to is removed, and only when it is old.

use super::*;
use crate::datasets::{MODEL, SCORES};
use crate::testing::{id, scores};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

on_every_store!(
    the_grace_is_counted_from_the_youngest_file,
    what_no_lake_wrote_stays,
    a_shard_that_comes_after_the_collection_finds_the_version,
    unreferenced_versions_go_and_referenced_ones_stay,
    shards_of_a_version_still_being_made_stay,
);

const FUTURE: DateTime<Utc> = DateTime::<Utc>::MAX_UTC;
const PAST: DateTime<Utc> = DateTime::<Utc>::MIN_UTC;

async fn unreferenced_versions_go_and_referenced_ones_stay(place: &Place) {
    let lake = place.lake();
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
    place
        .overwrite(".spill/datafusion-x/rows", "left by a process that is gone")
        .await;
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

async fn shards_of_a_version_still_being_made_stay(place: &Place) {
    let lake = place.lake();
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

async fn the_grace_is_counted_from_the_youngest_file(place: &Place) {
    let lake = place.lake();
    write_whole(&lake, &id(&SCORES, "k"), &scores(0..10)).await;
    let nothing = HashSet::new();
    let newest = place.newest().await;
    let removed = lake.delete_unreferenced(&nothing, newest).await.unwrap();
    assert_eq!(removed, crate::Removed::default());
    let after = newest + chrono::TimeDelta::seconds(1);
    let removed = lake.delete_unreferenced(&nothing, after).await.unwrap();
    assert_eq!((removed.versions, removed.files), (1, 2));
    assert!(place.paths().await.is_empty());
}

async fn what_no_lake_wrote_stays(place: &Place) {
    let lake = place.lake();
    let version = id(&SCORES, "k");
    write_whole(&lake, &version, &scores(0..10)).await;
    let foreign = ["logs/2026/11/24.gz", "scores/BATCH_001/k/notes.txt"];
    for path in foreign {
        place.overwrite(path, "of somebody else").await;
    }
    assert_eq!(
        lake.versions(&version.dataset, &version.batch)
            .await
            .unwrap(),
        [version]
    );
    lake.delete_unreferenced(&HashSet::new(), FUTURE)
        .await
        .unwrap();
    assert_eq!(place.paths().await, foreign);
}

async fn a_shard_that_comes_after_the_collection_finds_the_version(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let part = |index| {
        let shard = Shard { index, count: 2 };
        (shard, scores(shard.ordinals(3_000)))
    };
    let mut last = Published::Shard;
    for index in 0..2 {
        let (shard, rows) = part(index);
        last = write(&lake, &id, shard, attempt(1), &rows, 500)
            .await
            .unwrap();
    }
    let keep: HashSet<_> = [id.clone()].into();
    lake.delete_unreferenced(&keep, FUTURE).await.unwrap();
    assert!(
        !place
            .paths()
            .await
            .iter()
            .any(|path| path.contains("/shards/"))
    );
    let (shard, rows) = part(1);
    let late = write(&lake, &id, shard, attempt(2), &rows, 500)
        .await
        .unwrap();
    assert_eq!(late, last);
    lake.verify(&id).await.unwrap();
}
