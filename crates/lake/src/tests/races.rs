//! Writers of one version at the same time, each with a client of its own: one manifest, never two.

use super::*;
use crate::datasets::SCORES;
use crate::testing::{id, scores};
use bytes::Bytes;
use futures::future::join_all;
use object_store::path::Path;

const ROUNDS: usize = 10;

on_every_store!(
    of_many_who_put_one_object_exactly_one_does,
    writers_of_equal_rows_are_given_one_manifest,
    of_writers_of_unequal_rows_one_is_told_that_the_step_is_not_deterministic,
);

async fn of_many_who_put_one_object_exactly_one_does(place: &Place) {
    let lakes: Vec<_> = (0..8).map(|_| place.reopened()).collect();
    for round in 0..ROUNDS {
        let path = Path::from(format!("race/{round}"));
        let puts = lakes.iter().enumerate().map(|(number, lake)| {
            let (lake, path) = (lake.clone(), path.clone());
            // Each on its own thread, so that they really meet.
            async move {
                let bytes = Bytes::from(format!("writer {number}"));
                lake.put_or_standing(&path, bytes).await.unwrap()
            }
        });
        let mut tasks = tokio::task::JoinSet::new();
        puts.for_each(|put| drop(tasks.spawn(put)));
        let outcomes = tasks.join_all().await;
        let standing = place.bytes(path.as_ref()).await;
        assert_eq!(outcomes.iter().filter(|put| put.is_none()).count(), 1);
        assert!(outcomes.iter().flatten().all(|found| *found == standing));
    }
}

async fn writers_of_equal_rows_are_given_one_manifest(place: &Place) {
    let lakes = [place.reopened(), place.reopened()];
    let rows = scores(0..200);
    for round in 0..ROUNDS {
        let id = id(&SCORES, &format!("{round}"));
        let writers = lakes
            .iter()
            .zip(1..)
            .map(|(lake, number)| write(lake, &id, Shard::WHOLE, attempt(number), &rows, 1_000));
        let published: Vec<_> = join_all(writers)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(published[0], published[1]);
        let standing = place.lake().existing(&id).await.unwrap();
        assert_eq!(published[0].manifest(), Some(&standing));
    }
}

async fn of_writers_of_unequal_rows_one_is_told_that_the_step_is_not_deterministic(place: &Place) {
    let lakes = [place.reopened(), place.reopened()];
    let rows = [scores(0..200), scores(0..199)];
    for round in 0..ROUNDS {
        let id = id(&SCORES, &format!("{round}"));
        let writers = lakes
            .iter()
            .zip(&rows)
            .zip(1..)
            .map(|((lake, rows), number)| {
                write(lake, &id, Shard::WHOLE, attempt(number), rows, 1_000)
            });
        let (won, lost): (Vec<_>, Vec<_>) =
            join_all(writers).await.into_iter().partition(Result::is_ok);
        let [Ok(won)] = won.as_slice() else {
            panic!("one wins: {won:?}")
        };
        let [Err(lost)] = lost.as_slice() else {
            panic!("one loses: {lost:?}")
        };
        assert_eq!(lost.reason(), "NONDETERMINISTIC_STEP");
        assert!(!lost.retryable());
        let standing = place.lake().verify(&id).await.unwrap();
        assert_eq!(won.manifest(), Some(&standing));
    }
}
