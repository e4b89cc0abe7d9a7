//! Documents go in and come back; the same rules hold as for rows.

use super::*;
use crate::datasets::{MODEL, SCORES};
use crate::testing::{id, scores};
use serde_json::json;

on_every_store!(
    a_document_comes_back_as_it_was,
    another_document_under_the_same_key_is_refused,
    the_standing_document_survives_a_refused_one_of_the_same_attempt,
    tables_and_documents_are_not_taken_for_each_other,
);

async fn a_document_comes_back_as_it_was(place: &Place) {
    let lake = place.lake();
    let id = id(&MODEL, "k");
    let document = json!({"z": [1, 0.1, -0.0, 1e300], "a": {"ü": "\n", "b": null}, "n": i64::MIN});
    let put = |number| {
        let (lake, id, document) = (lake.clone(), id.clone(), document.clone());
        async move {
            lake.put_document(&MODEL, &id, attempt(number), &document, counted(1))
                .await
        }
    };
    let first = put(1).await.unwrap();
    assert_eq!(lake.document(&id).await.unwrap(), document);
    assert_eq!(put(2).await.unwrap(), first);
    assert_eq!(lake.verify(&id).await.unwrap().metadata, counted(1));
}

async fn another_document_under_the_same_key_is_refused(place: &Place) {
    let lake = place.lake();
    let id = id(&MODEL, "k");
    let put = |number, document| {
        let (lake, id) = (lake.clone(), id.clone());
        async move {
            lake.put_document(&MODEL, &id, attempt(number), &document, Metadata::new())
                .await
        }
    };
    put(1, json!({"a": 1, "b": 2})).await.unwrap();
    put(2, json!({"b": 2, "a": 1})).await.unwrap();
    let error = put(3, json!({"a": 1, "b": 3})).await.unwrap_err();
    assert_eq!(error.reason(), "NONDETERMINISTIC_STEP");
}

async fn the_standing_document_survives_a_refused_one_of_the_same_attempt(place: &Place) {
    let lake = place.lake();
    let id = id(&MODEL, "k");
    for (value, accepted) in [(1, true), (2, false)] {
        let document = json!({"a": value});
        let put = lake
            .put_document(&MODEL, &id, attempt(7), &document, Metadata::new())
            .await;
        assert_eq!(put.is_ok(), accepted);
    }
    assert_eq!(lake.document(&id).await.unwrap(), json!({"a": 1}));
}

async fn tables_and_documents_are_not_taken_for_each_other(place: &Place) {
    let lake = place.lake();
    let table = id(&SCORES, "k");
    write_whole(&lake, &table, &scores(0..1)).await;
    let reasons = [
        lake.document(&table).await.unwrap_err().reason(),
        lake.put_document(&SCORES, &table, attempt(1), &json!({}), Metadata::new())
            .await
            .unwrap_err()
            .reason(),
        lake.read(&id(&MODEL, "k"), None, None)
            .await
            .unwrap_err()
            .reason(),
        write(
            &lake,
            &id(&MODEL, "k"),
            Shard::WHOLE,
            attempt(1),
            &scores(0..1),
            1,
        )
        .await
        .unwrap_err()
        .reason(),
    ];
    assert_eq!(reasons, ["WRONG_DATASET_KIND"; 4]);
}
