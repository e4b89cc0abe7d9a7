//! Scores as they change: what is current, histories, transitions, snapshots.

use std::collections::BTreeMap;

use kycc_proto::scoring::v1::{
    GetScoreRequest, ListBandTransitionsRequest, ListBandTransitionsResponse,
    ListScoreHistoryRequest, Score, StreamScoresRequest,
};
use tonic::Code;

use crate::place::{Place, field, refused};

const JANUARY: &str = "2026-01-31T00:00:00Z";
const FEBRUARY: &str = "2026-02-28T00:00:00Z";
const MARCH: &str = "2026-03-31T00:00:00Z";

#[tokio::test]
async fn what_a_run_made_is_seen_as_soon_as_the_run_is_told_to_have_succeeded() {
    let mut place = Place::new().await;
    let mut scoring = place.scoring();
    for (number, batch) in ["B1", "B2", "B3"].into_iter().enumerate() {
        place.score(batch, 20, number as u64, JANUARY).await;
        let party = place.all(batch).await[0].party_id.clone();
        let ask = |batch: &str| GetScoreRequest {
            party_id: party.clone(),
            batch_id: batch.to_owned(),
            ..GetScoreRequest::default()
        };
        let newest = scoring
            .get_score(ask(""))
            .await
            .unwrap()
            .into_inner()
            .score
            .unwrap();
        assert_eq!(newest.batch_id, batch);
        for points in [10.0, 20.0, 30.0] {
            place.rescore(batch, points).await;
            let found = scoring
                .get_score(ask(batch))
                .await
                .unwrap()
                .into_inner()
                .score
                .unwrap();
            assert_eq!(
                found.final_score,
                (newest.raw + points).clamp(300.0, 900.0).round() as i32
            );
            assert_eq!(found.rules_fired, ["lift"]);
        }
        // A version that was there before is current again.
        place.score_again(batch).await;
        let back = scoring
            .get_score(ask(batch))
            .await
            .unwrap()
            .into_inner()
            .score
            .unwrap();
        assert_eq!(back, newest);
    }
    place.stop().await;
}

fn history(party: &str) -> ListScoreHistoryRequest {
    ListScoreHistoryRequest {
        party_id: party.to_owned(),
        ..ListScoreHistoryRequest::default()
    }
}

#[tokio::test]
async fn a_partys_history_leads_back_through_the_batches_that_hold_it() {
    let mut place = Place::new().await;
    // Not in the order of their as-of; the smallest batch does not hold the last parties.
    place.score("B2", 80, 2, FEBRUARY).await;
    place.score("B3", 120, 3, MARCH).await;
    place.score("B1", 100, 1, JANUARY).await;
    let mut scoring = place.scoring();
    let of = |scores: Vec<Score>| -> BTreeMap<String, Score> {
        let scores = scores.into_iter();
        scores
            .map(|score| (score.party_id.clone(), score))
            .collect()
    };
    let mut batches = Vec::new();
    for batch in ["B3", "B2", "B1"] {
        batches.push((batch, of(place.all(batch).await)));
    }
    let parties: Vec<_> = batches[0].1.keys().cloned().collect();
    for party in [&parties[0], &parties[90], &parties[119]] {
        let holding: Vec<_> = batches
            .iter()
            .filter_map(|(_, all)| all.get(party))
            .collect();
        let (mut entries, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListScoreHistoryRequest {
                page_size: 1,
                page_token,
                ..history(party)
            };
            let page = scoring
                .list_score_history(request)
                .await
                .unwrap()
                .into_inner();
            entries.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let at_once = scoring
            .list_score_history(history(party))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(at_once.entries, entries);
        assert_eq!(entries.len(), holding.len());
        for (at, (entry, score)) in entries.iter().zip(&holding).enumerate() {
            assert_eq!(
                (
                    &entry.batch_id,
                    entry.final_score,
                    &entry.band,
                    entry.as_of_time
                ),
                (
                    &score.batch_id,
                    score.final_score,
                    &score.band,
                    score.as_of_time
                )
            );
            let older = holding.get(at + 1);
            assert_eq!(
                entry.previous_final_score,
                older.map(|score| score.final_score)
            );
            assert_eq!(
                entry.band_changed,
                older.is_some_and(|older| older.band != score.band)
            );
        }
        let request = ListScoreHistoryRequest {
            band_changes_only: true,
            ..history(party)
        };
        let changes = scoring
            .list_score_history(request)
            .await
            .unwrap()
            .into_inner()
            .entries;
        let expected = entries.iter().filter(|entry| entry.band_changed);
        assert_eq!(changes, expected.cloned().collect::<Vec<_>>());
    }
    let nobody = scoring
        .list_score_history(history("nobody'; --"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(nobody.entries, []);
    assert_eq!(
        field(scoring.list_score_history(history("")).await),
        "party_id"
    );
    let altered = ListScoreHistoryRequest {
        page_token: "00".to_owned(),
        ..history(&parties[0])
    };
    assert_eq!(
        field(scoring.list_score_history(altered).await),
        "page_token"
    );
    place.stop().await;
}

#[tokio::test]
async fn transitions_count_every_party_and_list_those_that_moved() {
    let mut place = Place::new().await;
    place.score("B1", 300, 1, JANUARY).await;
    let mut scoring = place.scoring();
    let alone = ListBandTransitionsRequest::default();
    let error = refused(scoring.list_band_transitions(alone.clone()).await);
    assert_eq!(error.reason(), "NO_EARLIER_BATCH");
    place.score("B2", 260, 2, FEBRUARY).await;
    let (old, new) = (place.all("B1").await, place.all("B2").await);
    let old: BTreeMap<_, _> = old.iter().map(|score| (&score.party_id, score)).collect();
    let moved: Vec<_> = new
        .iter()
        .filter(|score| {
            old.get(&score.party_id)
                .is_some_and(|old| old.band != score.band)
        })
        .collect();
    let mut page: ListBandTransitionsResponse;
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListBandTransitionsRequest {
            page_size: 13,
            page_token,
            ..alone.clone()
        };
        page = scoring
            .list_band_transitions(request)
            .await
            .unwrap()
            .into_inner();
        found.extend(page.transitions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(
        (page.batch_id.as_str(), page.base_batch_id.as_str()),
        ("B2", "B1")
    );
    assert!(!moved.is_empty());
    let ids = |one: &kycc_proto::scoring::v1::BandTransition| one.party_id.clone();
    assert_eq!(
        found.iter().map(ids).collect::<Vec<_>>(),
        moved
            .iter()
            .map(|score| score.party_id.clone())
            .collect::<Vec<_>>()
    );
    assert_eq!(page.total_size, moved.len() as u64);
    let counted: u64 = page.matrix.iter().flat_map(|row| &row.parties).sum();
    assert_eq!((counted, page.disappeared, page.appeared), (260, 40, 0));
    let one = &found[0];
    let request = ListBandTransitionsRequest {
        from_band: one.from_band.clone(),
        to_band: one.to_band.clone(),
        page_size: 1_000,
        ..alone.clone()
    };
    let cell = scoring
        .list_band_transitions(request)
        .await
        .unwrap()
        .into_inner();
    let row = page
        .matrix
        .iter()
        .find(|row| row.from_band == one.from_band)
        .unwrap();
    let column = page
        .to_bands
        .iter()
        .position(|band| *band == one.to_band)
        .unwrap();
    assert_eq!(cell.transitions.len() as u64, row.parties[column]);
    let unknown = ListBandTransitionsRequest {
        to_band: "fabulous".to_owned(),
        ..alone.clone()
    };
    assert_eq!(
        field(scoring.list_band_transitions(unknown).await),
        "to_band"
    );
    let nowhere = ListBandTransitionsRequest {
        base_batch_id: "B9".to_owned(),
        ..alone
    };
    let error = refused(scoring.list_band_transitions(nowhere).await);
    assert_eq!(error.code(), Code::NotFound);
    place.stop().await;
}

#[tokio::test]
async fn a_resumed_stream_keeps_to_its_snapshot_though_the_batch_was_scored_again() {
    let mut place = Place::new().await;
    place.score("B1", 300, 1, JANUARY).await;
    let before = place.all("B1").await;
    let begin = StreamScoresRequest {
        batch_id: "B1".to_owned(),
        chunk_size: 50,
        ..StreamScoresRequest::default()
    };
    let mut stream = place
        .scoring()
        .stream_scores(begin.clone())
        .await
        .unwrap()
        .into_inner();
    let mut received = Vec::new();
    let mut resume_token = String::new();
    for _ in 0..3 {
        let message = stream.message().await.unwrap().unwrap();
        received.extend(message.scores);
        resume_token = message.resume_token;
    }
    drop(stream);
    place.rescore("B1", 40.0).await;
    place.score("B2", 30, 2, FEBRUARY).await;
    place.restart().await;
    let resume = StreamScoresRequest {
        batch_id: String::new(),
        resume_token,
        ..begin.clone()
    };
    let mut scoring = place.scoring();
    let mut stream = scoring
        .stream_scores(resume.clone())
        .await
        .unwrap()
        .into_inner();
    while let Some(message) = stream.message().await.unwrap() {
        received.extend(message.scores);
    }
    assert_eq!(received, before);
    assert_ne!(place.all("B1").await, before, "it was scored again");
    let other = StreamScoresRequest {
        batch_id: "B2".to_owned(),
        ..resume
    };
    assert_eq!(
        field(scoring.stream_scores(other).await.map(|_| ())),
        "batch_id"
    );
    let forged = StreamScoresRequest {
        resume_token: kycc_rpc::page_token("stream B1 ../../../etc P"),
        ..begin.clone()
    };
    assert_eq!(
        field(scoring.stream_scores(forged).await.map(|_| ())),
        "resume_token"
    );
    let gone = StreamScoresRequest {
        resume_token: kycc_rpc::page_token("stream B1 0123abcd P"),
        ..begin
    };
    let error = refused(scoring.stream_scores(gone).await.map(|_| ()));
    assert_eq!(error.reason(), "SNAPSHOT_GONE");
    place.stop().await;
}
