//! One party's row out of a published version.

use super::*;
use crate::datasets::SCORES;
use crate::lookup::PartyTables;
use crate::testing::{id, scores};
use std::sync::Arc;

on_every_store!(
    a_partys_row_is_found_by_its_id,
    versions_asked_for_last_are_held
);

async fn a_partys_row_is_found_by_its_id(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    write_whole(&lake, &id, &scores(0..2_000)).await;
    let table = PartyTables::new(lake, 1).get(&id).await.unwrap();
    assert_eq!(table.rows(), &scores(0..2_000));
    for row in [0, 1, 999, 1_999] {
        let party = format!("p{row:07}");
        assert_eq!(table.row_of(&party), Some(row));
        assert_eq!(table.first_after(&party), row + 1);
    }
    assert_eq!(table.row_of("p00"), None);
    assert_eq!((table.first_after("a"), table.first_after("z")), (0, 2_000));
}

async fn versions_asked_for_last_are_held(place: &Place) {
    let lake = place.lake();
    let ids = ["a", "b", "d"].map(|key| id(&SCORES, key));
    for id in &ids {
        write_whole(&lake, id, &scores(0..10)).await;
    }
    let tables = PartyTables::new(lake, 1);
    let first = tables.get(&ids[0]).await.unwrap();
    assert!(Arc::ptr_eq(&first, &tables.get(&ids[0]).await.unwrap()));
    tables.get(&ids[1]).await.unwrap();
    assert!(
        tables.peek(&ids[0]).is_some(),
        "two are kept, whatever they weigh"
    );
    tables.get(&ids[2]).await.unwrap();
    assert!(tables.peek(&ids[0]).is_none());
    assert!(!Arc::ptr_eq(&first, &tables.get(&ids[0]).await.unwrap()));
    let nowhere = tables.get(&id(&SCORES, "c")).await.unwrap_err();
    assert_eq!(nowhere.reason(), "VERSION_NOT_FOUND");
}
