//! What becomes visible, and what never does.

use super::*;
use crate::datasets::{KYC_FEATURES, SCORES, TRANSACTIONS};
use crate::testing::{id, scores, transactions};
use crate::{DatasetSpec, Kind};
use kycc_domain::ids::BatchId;

on_every_store!(
    digest_and_rows_are_the_same_for_any_shards_portions_and_threads,
    nothing_is_visible_before_the_manifest,
    some_shards_are_not_a_version,
    a_manifest_is_never_replaced,
    other_rows_under_the_same_key_are_refused,
    concurrent_writers_of_one_version_agree_on_one_manifest,
    an_empty_version_is_a_version,
    manifests_say_where_parties_are,
    rows_that_break_the_datasets_rules_are_refused,
    shards_that_leave_a_gap_are_not_composed,
    batch_ids_are_folders_of_their_own,
);

async fn digest_and_rows_are_the_same_for_any_shards_portions_and_threads(place: &Place) {
    let rows = scores(0..5_000);
    let lake = place.lake();
    let whole = write_whole(&lake, &id(&SCORES, "whole"), &rows).await;
    assert_eq!(whole.rows, 5_000);
    for (count, portion, threads) in [
        (1, 333, 1),
        (1, 5_000, 2),
        (2, 1_000, 2),
        (7, 777, 1),
        (30, 2_500, 2),
    ] {
        let lake = lake.clone().with_threads(threads);
        let id = id(&SCORES, &format!("{count}-{portion}"));
        let mut last = Published::Shard;
        // Backwards: shards finish in any order.
        for index in (0..count).rev() {
            assert_eq!(last, Published::Shard);
            let shard = Shard { index, count };
            let part = shard.ordinals(5_000);
            let part = rows.slice(part.start as usize, part.len());
            last = write(&lake, &id, shard, attempt(index.into()), &part, portion)
                .await
                .unwrap();
        }
        let manifest = last.manifest().unwrap();
        assert_eq!(manifest.digest, whole.digest, "{count} shards");
        assert_eq!(manifest.metadata, whole.metadata);
        assert_eq!(lake.read(&id, None, None).await.unwrap(), rows);
        lake.verify(&id).await.unwrap();
    }
}

async fn nothing_is_visible_before_the_manifest(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let rows = scores(0..5_000);
    let mut killed = lake.writer(&SCORES, id.clone(), Shard::WHOLE, attempt(1));
    killed.write(&rows).await.unwrap();
    drop(killed);
    // A data file of an attempt that died after writing it.
    let part = crate::paths::file(&id, &crate::paths::part(attempt(2), Shard::WHOLE, 0));
    let half = crate::digest::hex(blake3::hash(b"half"));
    lake.put_data(&part, "half".into(), &half).await.unwrap();
    assert_eq!(lake.manifest(&id).await.unwrap(), None);
    assert!(
        lake.versions(&id.dataset, &id.batch)
            .await
            .unwrap()
            .is_empty()
    );
    let error = lake.read(&id, None, None).await.unwrap_err();
    assert_eq!(error.reason(), "VERSION_NOT_FOUND");
    assert!(error.to_string().contains("scores/BATCH_001/k"), "{error}");

    let manifest = write(&lake, &id, Shard::WHOLE, attempt(3), &rows, 8192)
        .await
        .unwrap();
    assert_eq!(manifest.manifest().unwrap().attempt, attempt(3));
    assert_eq!(lake.read(&id, None, None).await.unwrap(), rows);
}

async fn some_shards_are_not_a_version(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let rows = scores(0..3_000);
    let shard = Shard { index: 1, count: 2 };
    let part = shard.ordinals(3_000);
    let part = rows.slice(part.start as usize, part.len());
    for number in [1, 2] {
        let published = write(&lake, &id, shard, attempt(number), &part, 500)
            .await
            .unwrap();
        assert_eq!(published, Published::Shard);
    }
    assert_eq!(lake.manifest(&id).await.unwrap(), None);
}

async fn a_manifest_is_never_replaced(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let rows = scores(0..2_000);
    let first = write_whole(&lake, &id, &rows).await;
    let again = write(&lake, &id, Shard::WHOLE, attempt(9), &rows, 100)
        .await
        .unwrap();
    assert_eq!(again.manifest(), Some(&first));
    assert_eq!(lake.manifest(&id).await.unwrap(), Some(first));
}

async fn other_rows_under_the_same_key_are_refused(place: &Place) {
    for count in [1, 2] {
        let lake = place.lake();
        let id = id(&SCORES, "k");
        let shard = Shard { index: 0, count };
        let part = shard.ordinals(2_000);
        let rows = scores(part.clone());
        write(&lake, &id, shard, attempt(1), &rows, 500)
            .await
            .unwrap();
        let standing = lake.manifest(&id).await.unwrap();
        let other = scores(part.start..part.end - 1);
        let error = write(&lake, &id, shard, attempt(2), &other, 500)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), "NONDETERMINISTIC_STEP");
        assert!(!error.retryable());
        assert_eq!(lake.manifest(&id).await.unwrap(), standing);
    }
}

async fn concurrent_writers_of_one_version_agree_on_one_manifest(place: &Place) {
    let lake = place.lake();
    for round in 0..3 {
        let rows = scores(0..3_000);
        let whole = id(&SCORES, &format!("whole-{round}"));
        let writers = (0..4).map(|n| write(&lake, &whole, Shard::WHOLE, attempt(n), &rows, 1_000));
        let published = futures::future::try_join_all(writers).await.unwrap();
        assert!(
            published.iter().all(|p| p == &published[0]),
            "{published:?}"
        );

        let sharded = id(&SCORES, &format!("sharded-{round}"));
        let parts: Vec<_> = (0..6)
            .map(|n| {
                let shard = Shard {
                    index: n / 2,
                    count: 3,
                };
                (attempt(n.into()), shard, scores(shard.ordinals(3_000)))
            })
            .collect();
        let writers = parts
            .iter()
            .map(|(attempt, shard, rows)| write(&lake, &sharded, *shard, *attempt, rows, 1_000));
        let published = futures::future::try_join_all(writers).await.unwrap();
        let complete: Vec<_> = published.iter().filter_map(Published::manifest).collect();
        assert!(!complete.is_empty(), "whoever comes last sees all shards");
        assert!(complete.iter().all(|manifest| *manifest == complete[0]));
        assert_eq!(complete[0].digest, published_digest(&lake, &whole).await);
    }
}

async fn published_digest(lake: &Lake, id: &VersionId) -> kycc_domain::ids::Digest {
    lake.existing(id).await.unwrap().digest
}

async fn an_empty_version_is_a_version(place: &Place) {
    let lake = place.lake();
    for count in [1, 3] {
        let id = id(&SCORES, &format!("empty-{count}"));
        for index in 0..count {
            write(
                &lake,
                &id,
                Shard { index, count },
                attempt(1),
                &scores(0..0),
                1,
            )
            .await
            .unwrap();
        }
        let rows = lake.read(&id, Some(&["score"]), None).await.unwrap();
        assert_eq!((rows.num_rows(), rows.num_columns()), (0, 1));
    }
    let digest = |count: u32| {
        let lake = lake.clone();
        async move { published_digest(&lake, &id(&SCORES, &format!("empty-{count}"))).await }
    };
    assert_eq!(digest(1).await, digest(3).await);
}

async fn manifests_say_where_parties_are(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    write_whole(&lake, &id, &scores(0..1_500)).await;
    let manifest = lake.existing(&id).await.unwrap();
    let file = &manifest.files[0];
    assert_eq!((file.min_ordinal, file.max_ordinal), (Some(0), Some(1_499)));
    assert_eq!(file.min_party.as_deref(), Some("p0000000"));
    assert_eq!(file.max_party.as_deref(), Some("p0001499"));
    assert_eq!(
        file.path,
        format!("attempt-{}/part-0000.parquet", attempt(1))
    );
    assert_eq!(manifest.metadata, counted(1_500));
}

async fn rows_that_break_the_datasets_rules_are_refused(place: &Place) {
    let lake = place.lake();
    let refused = |spec: &'static DatasetSpec, shard, batches: Vec<RecordBatch>| {
        let mut writer = lake.writer(spec, id(spec, "k"), shard, attempt(1));
        async move {
            for batch in &batches {
                if let Err(error) = writer.write(batch).await {
                    return error.to_string();
                }
            }
            let finished = writer.finish(Metadata::new(), |m| m).await;
            finished.expect_err("the rows are wrong").to_string()
        }
    };
    let whole = Shard::WHOLE;
    let gap = refused(&SCORES, whole, vec![scores(0..5), scores(6..7)]).await;
    assert!(gap.contains("party_ord 6 where 5 is next"), "{gap}");
    let start = refused(&SCORES, whole, vec![scores(1..5)]).await;
    assert!(start.contains("starts at ordinal 1"), "{start}");
    let back = refused(
        &TRANSACTIONS,
        whole,
        vec![transactions(3..4, 2), transactions(2..3, 1)],
    )
    .await;
    assert!(back.contains("party_ord 2 after 3"), "{back}");
    let sharded = refused(&TRANSACTIONS, Shard { index: 0, count: 2 }, vec![]).await;
    assert!(sharded.contains("one row per party"), "{sharded}");
    let index = refused(&SCORES, Shard { index: 2, count: 2 }, vec![]).await;
    assert!(index.contains("shard 2 of 2"), "{index}");
    let unknown = refused(&KYC_FEATURES, whole, vec![scores(0..1)]).await;
    assert!(unknown.contains("\"raw\""), "{unknown}");
    let narrow = scores(0..1).project(&[0, 1, 2]).unwrap();
    let missing = refused(&SCORES, whole, vec![narrow]).await;
    assert!(missing.contains("\"score\" is missing"), "{missing}");
    let all = scores(0..4);
    let wrong = RecordBatch::try_from_iter(
        all.schema()
            .fields()
            .iter()
            .enumerate()
            .map(|(i, f)| {
                let source = if f.name() == "score" { 2 } else { i };
                (f.name().clone(), std::sync::Arc::clone(all.column(source)))
            })
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let wrong = refused(&SCORES, whole, vec![wrong]).await;
    assert!(
        wrong.contains("\"score\" is Float64, the schema says Int32"),
        "{wrong}"
    );
    let null = RecordBatch::try_from_iter(
        all.schema()
            .fields()
            .iter()
            .enumerate()
            .map(|(i, f)| {
                let source = if f.name() == "raw" { 12 } else { i };
                (f.name().clone(), std::sync::Arc::clone(all.column(source)))
            })
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let null = refused(&SCORES, whole, vec![null]).await;
    assert!(null.contains("\"raw\" is null at row 0"), "{null}");
    assert!(
        lake.versions(&id(&SCORES, "k").dataset, &id(&SCORES, "k").batch)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn shards_that_leave_a_gap_are_not_composed(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    write(
        &lake,
        &id,
        Shard { index: 0, count: 2 },
        attempt(1),
        &scores(0..1_024),
        500,
    )
    .await
    .unwrap();
    let second = Shard { index: 1, count: 2 };
    let error = write(&lake, &id, second, attempt(2), &scores(2_048..3_000), 500)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "SHARDS_INVALID");
    assert_eq!(lake.manifest(&id).await.unwrap(), None);
}

/// Batch ids of other alphabets are refused where ids are made; whatever is an id has a folder of its own.
async fn batch_ids_are_folders_of_their_own(place: &Place) {
    for refused in ["партия-1", "批次", "a/b", "..", "B 1", "%2e"] {
        assert!(BatchId::new(refused).is_err(), "{refused}");
    }
    let lake = place.lake();
    for batch in ["A", "a.b-c_d", "A.", "2026-11"] {
        let id = SCORES.version(BatchId::new(batch).unwrap(), "k");
        write_whole(&lake, &id, &scores(0..10)).await;
        let manifest = format!("scores/{batch}/k/manifest.json");
        assert!(place.paths().await.contains(&manifest), "{manifest}");
        assert_eq!(lake.versions(&id.dataset, &id.batch).await.unwrap(), [id]);
    }
    let id = SCORES.version(BatchId::new("A").unwrap(), "../ключ/../../x");
    write_whole(&lake, &id, &scores(0..10)).await;
    assert_eq!(lake.read(&id, None, None).await.unwrap().num_rows(), 10);
    let paths = place.paths().await;
    assert!(
        paths.iter().all(|path| path.starts_with("scores/")),
        "{paths:?}"
    );
}

#[test]
fn every_table_can_be_encoded() {
    for spec in crate::datasets::ALL
        .into_iter()
        .filter(|spec| spec.kind == Kind::Table)
    {
        let mut encoder = crate::encode::FileEncoder::new(spec).unwrap();
        encoder
            .row_group(&[RecordBatch::new_empty(spec.schema())], 1)
            .unwrap();
        assert!(
            encoder.finish().unwrap().starts_with(b"PAR1"),
            "{}",
            spec.name
        );
    }
}
