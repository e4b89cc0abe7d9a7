//! Whatever call to the store fails, before or after it took effect: what is visible is whole, the error says that
//! trying again may help, and trying again leads to the same version.

use super::*;
use crate::datasets::{KYC_FEATURES, MODEL, SCORES};
use crate::session::SessionLimits;
use crate::testing::faulty_store::{FaultyStore, StoreFault};
use crate::testing::{id, scores};
use chrono::{DateTime, Utc};
use kycc_domain::ids::Digest;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

on_every_store!(
    writing_a_table_converges,
    writing_shards_converges,
    writing_a_document_converges,
    importing_a_file_converges,
    readers_are_told_the_truth_or_to_try_again,
    queries_are_told_the_truth_or_to_try_again,
    collecting_garbage_converges,
    writers_beset_by_faults_agree_in_the_end,
);

/// Enough for two shards.
const PARTIES: u32 = 1_030;

const FAULTS: [StoreFault; 3] = [
    StoreFault::FailBefore,
    StoreFault::FailAfter,
    StoreFault::Cut,
];

/// The lake, one call of which fails; and whether that call has come.
fn failing_at(lake: &Lake, at: u64, fault: StoreFault) -> (Lake, Arc<AtomicBool>) {
    let met = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&met);
    let lake = lake.clone().with_layer(|store| {
        Arc::new(FaultyStore::new(store, move |_, number| {
            if number != at {
                return StoreFault::None;
            }
            seen.store(true, Ordering::Relaxed);
            fault
        }))
    });
    (lake, met)
}

/// Fails every call of the operation in turn, each on a version of its own, which the operation names by its key.
async fn converges(
    place: &Place,
    spec: &'static crate::DatasetSpec,
    operation: impl AsyncFn(&Lake, &VersionId, u128) -> Result<Published, LakeError>,
) {
    let clean = place.lake();
    let digest =
        |published: Published| published.manifest().map(|manifest| manifest.digest.clone());
    let undisturbed = operation(&clean, &id(spec, "undisturbed"), 1).await;
    let expected = digest(undisturbed.unwrap()).unwrap();
    for fault in FAULTS {
        for at in 0.. {
            let id = id(spec, &format!("{fault:?}-{at}"));
            let (lake, met) = failing_at(&clean, at, fault);
            let outcome = operation(&lake, &id, 1).await;
            if !met.load(Ordering::Relaxed) {
                assert!(at >= 2, "the operation calls the store");
                assert_eq!(digest(outcome.unwrap()).as_ref(), Some(&expected));
                break;
            }
            match outcome {
                Ok(published) => assert_eq!(digest(published).as_ref(), Some(&expected)),
                Err(error) => assert!(error.retryable(), "{id}: {error:?}"),
            }
            whole_or_absent(&clean, &id, &expected).await;
            // The same attempt once more, then another one.
            for number in [1, 2] {
                let again = operation(&clean, &id, number).await.unwrap();
                assert_eq!(digest(again).as_ref(), Some(&expected), "{id}");
            }
            assert_eq!(clean.verify(&id).await.unwrap().digest, expected);
        }
    }
}

async fn whole_or_absent(lake: &Lake, id: &VersionId, expected: &Digest) {
    if lake.manifest(id).await.unwrap().is_some() {
        assert_eq!(lake.verify(id).await.unwrap().digest, *expected, "{id}");
    }
}

async fn writing_a_table_converges(place: &Place) {
    let rows = scores(0..PARTIES);
    converges(place, &SCORES, async |lake, id, number| {
        write(lake, id, Shard::WHOLE, attempt(number), &rows, 1_000).await
    })
    .await;
}

async fn writing_shards_converges(place: &Place) {
    converges(place, &SCORES, async |lake, id, number| {
        let mut last = Published::Shard;
        for index in 0..2 {
            let shard = Shard { index, count: 2 };
            let rows = scores(shard.ordinals(PARTIES));
            last = write(lake, id, shard, attempt(number), &rows, 1_000).await?;
        }
        Ok(last)
    })
    .await;
}

async fn writing_a_document_converges(place: &Place) {
    let document = serde_json::json!({"weights": [0.1, 0.2]});
    converges(place, &MODEL, async |lake, id, number| {
        lake.put_document(&MODEL, id, attempt(number), &document, counted(1))
            .await
    })
    .await;
}

async fn importing_a_file_converges(place: &Place) {
    let path = place.folder.path().join("kyc.csv");
    let header =
        "party_id,kyc_verified,company_age_years,party_type_score,contact_completeness,has_tax_id";
    std::fs::write(&path, format!("{header}\nb,1,2.5,7,75,0\na,0,1,10,100,1\n")).unwrap();
    converges(place, &KYC_FEATURES, async |lake, id, number| {
        lake.import_table(&KYC_FEATURES, id, &path, attempt(number))
            .await
    })
    .await;
}

/// Fails every call of a read in turn; what is found is text that can be compared.
async fn truth_or_try_again(
    place: &Place,
    faults: &[StoreFault],
    read: impl AsyncFn(&Lake) -> Result<String, LakeError>,
) {
    let clean = place.lake();
    let expected = read(&clean).await.unwrap();
    for fault in faults {
        for at in 0.. {
            let (lake, met) = failing_at(&clean, at, *fault);
            let outcome = read(&lake).await;
            let met = met.load(Ordering::Relaxed);
            match outcome {
                Ok(found) => assert_eq!(found, expected, "{fault:?} at {at}"),
                Err(error) => {
                    assert!(met && error.retryable(), "{fault:?} at {at}: {error:?}");
                    assert_eq!(error.reason(), "LAKE_UNAVAILABLE");
                }
            }
            if !met {
                break;
            }
        }
    }
}

async fn readers_are_told_the_truth_or_to_try_again(place: &Place) {
    let (table, model) = (id(&SCORES, "k"), id(&MODEL, "k"));
    write_whole(&place.lake(), &table, &scores(0..100)).await;
    place
        .lake()
        .put_document(
            &MODEL,
            &model,
            attempt(1),
            &serde_json::json!({"a": 1}),
            counted(1),
        )
        .await
        .unwrap();
    truth_or_try_again(place, &FAULTS, async |lake| {
        let rows = lake.read(&table, Some(&["score"]), Some(10..20)).await?;
        let verified = lake.verify(&table).await?.digest;
        let document = lake.document(&model).await?;
        let versions = lake.versions(&table.dataset, &table.batch).await?;
        Ok(format!("{rows:?} {verified} {document} {versions:?}"))
    })
    .await;
}

async fn queries_are_told_the_truth_or_to_try_again(place: &Place) {
    let table = id(&SCORES, "k");
    write_whole(&place.lake(), &table, &scores(0..100)).await;
    let faults = [StoreFault::FailBefore, StoreFault::Cut];
    truth_or_try_again(place, &faults, async |lake| {
        let session = lake.session(SessionLimits {
            threads: 1,
            memory_bytes: 100 * 1024 * 1024,
        })?;
        session.register("scores", &table, None).await?;
        let sql = "SELECT COUNT(*) AS n, SUM(score) AS total FROM scores WHERE score > 310";
        let none: Vec<(&str, datafusion::scalar::ScalarValue)> = Vec::new();
        let stream = session.sql_stream("total.sql", sql, none).await?;
        let found: Vec<_> = futures::TryStreamExt::try_collect(stream).await?;
        Ok(format!("{found:?}"))
    })
    .await;
}

async fn collecting_garbage_converges(place: &Place) {
    let clean = place.lake();
    let (kept, dropped) = (id(&SCORES, "kept"), id(&SCORES, "dropped"));
    let rows = scores(0..100);
    let keep: HashSet<_> = [kept.clone()].into();
    let expected = write_whole(&clean, &kept, &rows).await.digest;
    let only = place.paths().await;
    for fault in FAULTS {
        for at in 0.. {
            // An attempt that lost, and a version that nobody wants.
            write(&clean, &kept, Shard::WHOLE, attempt(2), &rows, 100)
                .await
                .unwrap();
            write_whole(&clean, &dropped, &rows).await;
            let (lake, met) = failing_at(&clean, at, fault);
            let outcome = lake
                .delete_unreferenced(&keep, DateTime::<Utc>::MAX_UTC)
                .await;
            assert_eq!(clean.verify(&kept).await.unwrap().digest, expected);
            whole_or_absent(&clean, &dropped, &expected).await;
            if let Err(error) = &outcome {
                assert!(error.retryable(), "{fault:?} at {at}: {error:?}");
            }
            clean
                .delete_unreferenced(&keep, DateTime::<Utc>::MAX_UTC)
                .await
                .unwrap();
            assert_eq!(place.paths().await, only, "{fault:?} at {at}");
            if !met.load(Ordering::Relaxed) {
                outcome.unwrap();
                break;
            }
        }
    }
}

async fn writers_beset_by_faults_agree_in_the_end(place: &Place) {
    let rows = scores(0..PARTIES);
    for seed in 0..4 {
        let id = id(&SCORES, &format!("seed-{seed}"));
        let lake = place
            .reopened()
            .with_layer(|store| Arc::new(FaultyStore::seeded(store, seed, 20)));
        let shards = (0..4).map(|writer| {
            let (lake, id, rows) = (&lake, &id, &rows);
            async move {
                let shard = Shard {
                    index: writer % 2,
                    count: 2,
                };
                let part = shard.ordinals(PARTIES);
                let part = rows.slice(part.start as usize, part.len());
                for number in 0..200 {
                    let attempt = attempt(u128::from(writer) * 1_000 + number);
                    match write(lake, id, shard, attempt, &part, 1_000).await {
                        Ok(published) => return published,
                        Err(error) => assert!(error.retryable(), "seed {seed}: {error:?}"),
                    }
                }
                panic!("seed {seed}: 200 tries of writer {writer} failed")
            }
        });
        let published = futures::future::join_all(shards).await;
        let complete: Vec<_> = published.iter().filter_map(Published::manifest).collect();
        assert!(!complete.is_empty(), "seed {seed}");
        let standing = place.lake().verify(&id).await.unwrap();
        assert!(
            complete.iter().all(|manifest| **manifest == standing),
            "seed {seed}"
        );
        assert_eq!(place.lake().read(&id, None, None).await.unwrap(), rows);
    }
}
