//! The feed of changed scores: across batches, rescoring, interruptions and restarts.

use std::collections::BTreeMap;

use kycc_proto::scoring::v1::{ScoreChange, WatchScoresRequest, WatchScoresResponse};
use tonic::Streaming;

use crate::place::{Place, field};

const JANUARY: &str = "2026-01-31T00:00:00Z";
const FEBRUARY: &str = "2026-02-28T00:00:00Z";

type Feed = Streaming<WatchScoresResponse>;

async fn watch(place: &Place, request: WatchScoresRequest) -> Feed {
    place
        .scoring()
        .watch_scores(request)
        .await
        .unwrap()
        .into_inner()
}

fn after(resume_token: &str) -> WatchScoresRequest {
    WatchScoresRequest {
        resume_token: resume_token.to_owned(),
        ..WatchScoresRequest::default()
    }
}

async fn next(feed: &mut Feed) -> WatchScoresResponse {
    feed.message().await.unwrap().unwrap()
}

/// All that is told of the next publication.
async fn publication(feed: &mut Feed) -> (WatchScoresResponse, Vec<ScoreChange>) {
    let mut changes = Vec::new();
    loop {
        let mut message = next(feed).await;
        changes.append(&mut message.changes);
        if message.summary.is_some() {
            return (message, changes);
        }
    }
}

/// What is to be told of `new` after `old`.
async fn expected(place: &Place, old: &str, new: &str) -> Vec<ScoreChange> {
    let old = place.all(old).await.into_iter();
    let old: BTreeMap<_, _> = old.map(|score| (score.party_id.clone(), score)).collect();
    let new = place.all(new).await.into_iter();
    new.filter_map(|score| {
        let before = old.get(&score.party_id);
        let same = before
            .is_some_and(|old| (old.final_score, &old.band) == (score.final_score, &score.band));
        (!same).then(|| ScoreChange {
            previous_final_score: before.map(|old| old.final_score),
            previous_band: before.map(|old| old.band.clone()).unwrap_or_default(),
            party_id: score.party_id,
            final_score: score.final_score,
            band: score.band,
        })
    })
    .collect()
}

#[tokio::test]
async fn what_every_publication_changed_is_told_also_after_a_restart_in_its_midst() {
    let mut place = Place::new().await;
    let mut feed = watch(&place, WatchScoresRequest::default()).await;
    let begin = next(&mut feed).await;
    assert!(begin.batch_id.is_empty() && begin.changes.is_empty());

    place.score("B1", 1_200, 1, JANUARY).await;
    let (first, changes) = publication(&mut feed).await;
    assert_eq!((first.batch_id.as_str(), changes.len()), ("B1", 0));
    let summary = first.summary.unwrap();
    assert_eq!(
        (summary.not_compared.as_str(), summary.parties),
        ("FIRST_BATCH", 1_200)
    );

    place.score("B2", 1_300, 2, FEBRUARY).await;
    let wanted = expected(&place, "B1", "B2").await;
    assert!(wanted.len() > 1_000, "several messages: {}", wanted.len());
    // The first message alone arrives; then everything stops.
    let part = next(&mut feed).await;
    assert_eq!(part.summary, None);
    drop(feed);
    place.restart().await;
    let mut resumed = watch(&place, after(&part.resume_token)).await;
    assert_eq!(next(&mut resumed).await.resume_token, part.resume_token);
    let (last, rest) = publication(&mut resumed).await;
    let received: Vec<_> = part.changes.iter().cloned().chain(rest).collect();
    assert_eq!(received, wanted);
    let summary = last.summary.clone().unwrap();
    assert_eq!((summary.appeared, summary.disappeared), (100, 0));
    assert_eq!(
        (
            last.base_batch_id.as_str(),
            last.as_of_time.unwrap().seconds
        ),
        ("B1", 1_772_236_800)
    );

    // Whoever begins with an older token gets it all again, in the same order.
    let mut again = watch(&place, after(&begin.resume_token)).await;
    next(&mut again).await;
    assert_eq!(publication(&mut again).await.0.batch_id, "B1");
    assert_eq!(publication(&mut again).await, (last, wanted));
    drop((again, resumed));
    place.stop().await;
}

#[tokio::test]
async fn a_batch_that_is_scored_again_is_compared_with_itself() {
    let mut place = Place::new().await;
    place.score("B1", 60, 1, JANUARY).await;
    place.score("B2", 60, 2, FEBRUARY).await;
    let before = place.all("B1").await;
    let mut feed = watch(&place, WatchScoresRequest::default()).await;
    next(&mut feed).await;
    place.rescore("B1", 30.0).await;
    let (told, changes) = publication(&mut feed).await;
    assert_eq!(
        (told.batch_id.as_str(), told.base_batch_id.as_str()),
        ("B1", "B1")
    );
    assert_eq!(changes.len(), before.len());
    assert!(changes.iter().zip(&before).all(|(change, before)| {
        change.previous_final_score == Some(before.final_score)
            && change.final_score > before.final_score
    }));
    // The same run once more makes nothing current that was not: the next word is of another batch.
    place.rescore("B1", 30.0).await;
    place.rescore("B2", 30.0).await;
    assert_eq!(publication(&mut feed).await.0.batch_id, "B2");
    drop(feed);
    place.stop().await;
}

#[tokio::test]
async fn filters_leave_out_small_changes_and_other_batches() {
    let mut place = Place::new().await;
    for (batch, as_of) in [("B1", JANUARY), ("B2", FEBRUARY)] {
        place
            .score(
                batch,
                200,
                as_of.len() as u64 + batch.as_bytes()[1] as u64,
                as_of,
            )
            .await;
    }
    let all = expected(&place, "B1", "B2").await;
    let tell = async |request: WatchScoresRequest| {
        let request = WatchScoresRequest {
            from_beginning: true,
            batch_id: "B2".to_owned(),
            ..request
        };
        let mut feed = watch(&place, request).await;
        next(&mut feed).await;
        let (told, changes) = publication(&mut feed).await;
        assert_eq!(told.batch_id, "B2", "B1 is left out");
        assert_eq!(told.summary.unwrap().changed_scores, all.len() as u64);
        changes
    };
    assert_eq!(tell(WatchScoresRequest::default()).await, all);
    let moved = |change: &&ScoreChange| change.previous_band != change.band;
    let bands = WatchScoresRequest {
        band_changes_only: true,
        ..WatchScoresRequest::default()
    };
    let expected: Vec<_> = all.iter().filter(moved).cloned().collect();
    assert!(expected.len() < all.len());
    assert_eq!(tell(bands).await, expected);
    let far = |change: &&ScoreChange| {
        let before = change.previous_final_score.unwrap();
        moved(change) || (change.final_score - before).abs() >= 25
    };
    let large = WatchScoresRequest {
        min_change: 25,
        ..WatchScoresRequest::default()
    };
    assert_eq!(
        tell(large).await,
        all.iter().filter(far).cloned().collect::<Vec<_>>()
    );
    place.stop().await;
}

#[tokio::test]
async fn a_feed_that_cannot_begin_is_refused_by_its_field() {
    let mut place = Place::new().await;
    let token = {
        let mut feed = watch(&place, WatchScoresRequest::default()).await;
        next(&mut feed).await.resume_token
    };
    for (request, named) in [
        (after("zz"), "resume_token"),
        (after(&kycc_rpc::page_token("P-00001")), "resume_token"),
        (
            WatchScoresRequest {
                from_beginning: true,
                ..after(&token)
            },
            "from_beginning",
        ),
        (
            WatchScoresRequest {
                min_change: -1,
                ..Default::default()
            },
            "min_change",
        ),
    ] {
        let answer = place.scoring().watch_scores(request).await.map(|_| ());
        assert_eq!(field(answer), named);
    }
    place.stop().await;
}
