//! One batch, read in every way.

use std::collections::BTreeMap;

use kycc_proto::scoring::v1::{
    BatchGetScoresRequest, BatchScoreFeaturesRequest, GetScoreRequest, GetStatisticsRequest,
    ListScoresRequest, Score, ScoreFeaturesRequest, ScoreOrder, StreamScoresRequest, Vector,
};
use prost_types::FieldMask;
use tonic::Code;

use crate::place::{Place, Scoring, field, refused};

const B1: &str = "2026-01-31T00:00:00Z";
/// What somebody might try.
const ODD: [&str; 4] = [
    "P-1'; DROP TABLE orchestrator_runs; --",
    "\u{0}",
    "ä/../..",
    "%_",
];

fn get(party: &str) -> GetScoreRequest {
    GetScoreRequest {
        party_id: party.to_owned(),
        ..GetScoreRequest::default()
    }
}

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    })
}

async fn score(scoring: &mut Scoring, request: GetScoreRequest) -> Score {
    let answer = scoring.get_score(request).await.unwrap();
    answer.into_inner().score.unwrap()
}

async fn list(scoring: &mut Scoring, request: ListScoresRequest) -> (Vec<Score>, u64) {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListScoresRequest {
            page_size: 41,
            page_token,
            ..request.clone()
        };
        let page = scoring.list_scores(request).await.unwrap().into_inner();
        found.extend(page.scores);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return (found, page.total_size);
        }
    }
}

#[tokio::test]
async fn whichever_way_a_batch_is_read_its_scores_are_the_same() {
    let mut place = Place::new().await;
    place.score("B1", 300, 1, B1).await;
    let mut scoring = place.scoring();
    let all = place.all("B1").await;
    assert_eq!(all.len(), 300);
    assert!(
        all.windows(2)
            .all(|pair| pair[0].party_id < pair[1].party_id)
    );

    let whole = score(&mut scoring, get(&all[7].party_id)).await;
    assert!(!whole.contributions.is_empty());
    let base = whole.raw
        - whole
            .contributions
            .iter()
            .map(|part| part.points)
            .sum::<f64>();
    assert!(
        (base - 300.0).abs() < 1e-6,
        "contributions explain the score: {base}"
    );
    assert!(
        whole
            .contributions
            .iter()
            .all(|part| part.value.is_finite())
    );
    let listed = Score {
        contributions: Vec::new(),
        ..whole.clone()
    };
    assert_eq!(listed, all[7]);

    let request = BatchGetScoresRequest {
        party_ids: [
            &all[7].party_id,
            ODD[0],
            &all[2].party_id,
            ODD[1],
            &all[7].party_id,
        ]
        .map(str::to_owned)
        .to_vec(),
        ..BatchGetScoresRequest::default()
    };
    let many = scoring
        .batch_get_scores(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        many.scores,
        [all[7].clone(), all[2].clone(), all[7].clone()]
    );
    assert_eq!(many.missing_party_ids, [ODD[0], ODD[1]]);
    assert_eq!(many.batch_id, "B1");

    let request = StreamScoresRequest {
        chunk_size: 90,
        read_mask: mask(&["*"]),
        ..StreamScoresRequest::default()
    };
    let mut stream = scoring.stream_scores(request).await.unwrap().into_inner();
    let mut streamed = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        assert!(message.scores.len() <= 90);
        assert_eq!(message.total_size, 300);
        streamed.extend(message.scores);
    }
    assert_eq!(streamed[7], whole);
    assert_eq!(streamed.len(), 300);
    place.stop().await;
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_counted() {
    let mut place = Place::new().await;
    place.score("B1", 300, 1, B1).await;
    let mut scoring = place.scoring();
    let all = place.all("B1").await;
    let ids = |scores: &[Score]| -> Vec<String> {
        scores.iter().map(|score| score.party_id.clone()).collect()
    };
    for order in [ScoreOrder::LowestFirst, ScoreOrder::HighestFirst] {
        let request = ListScoresRequest {
            order: order.into(),
            ..ListScoresRequest::default()
        };
        let (found, total) = list(&mut scoring, request).await;
        let mut expected = all.clone();
        let sign = if order == ScoreOrder::LowestFirst {
            1
        } else {
            -1
        };
        expected.sort_by_key(|score| (sign * score.final_score, score.party_id.clone()));
        assert_eq!(ids(&found), ids(&expected));
        assert_eq!(total, 300);
    }
    let mut by_band: BTreeMap<&str, Vec<Score>> = BTreeMap::new();
    for score in &all {
        by_band.entry(&score.band).or_default().push(score.clone());
    }
    for (band, expected) in by_band {
        let request = ListScoresRequest {
            band: band.to_owned(),
            ..ListScoresRequest::default()
        };
        let (found, total) = list(&mut scoring, request).await;
        assert_eq!(ids(&found), ids(&expected));
        assert_eq!(total, expected.len() as u64);
    }
    let median = all[150].final_score;
    let request = ListScoresRequest {
        min_final_score: Some(median),
        max_final_score: Some(median + 40),
        flagged_only: true,
        order: ScoreOrder::HighestFirst.into(),
        ..ListScoresRequest::default()
    };
    let (found, total) = list(&mut scoring, request).await;
    let expected = all.iter().filter(|score| {
        (median..=median + 40).contains(&score.final_score) && !score.flags.is_empty()
    });
    assert_eq!(
        (found.len(), total),
        (expected.clone().count(), expected.count() as u64)
    );
    place.stop().await;
}

#[tokio::test]
async fn a_mask_leaves_out_what_it_does_not_name() {
    let mut place = Place::new().await;
    place.score("B1", 50, 1, B1).await;
    let mut scoring = place.scoring();
    let party = place.all("B1").await[3].party_id.clone();
    let whole = score(&mut scoring, get(&party)).await;
    let request = GetScoreRequest {
        read_mask: mask(&["final_score", "band"]),
        ..get(&party)
    };
    let expected = Score {
        final_score: whole.final_score,
        band: whole.band.clone(),
        ..Score::default()
    };
    assert_eq!(score(&mut scoring, request).await, expected);
    let request = ListScoresRequest {
        read_mask: mask(&["party_id", "contributions"]),
        page_size: 1000,
        ..ListScoresRequest::default()
    };
    let page = scoring.list_scores(request).await.unwrap().into_inner();
    let found = page
        .scores
        .iter()
        .find(|score| score.party_id == party)
        .unwrap();
    let expected = Score {
        party_id: party,
        contributions: whole.contributions,
        ..Score::default()
    };
    assert_eq!(*found, expected);
    place.stop().await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_its_field() {
    let mut place = Place::new().await;
    let mut scoring = place.scoring();
    let error = refused(scoring.get_score(get("P-1")).await);
    assert_eq!(error.reason(), "NOTHING_SCORED");
    place.score("B1", 50, 1, B1).await;
    for odd in ODD {
        assert_eq!(
            refused(scoring.get_score(get(odd)).await).code(),
            Code::NotFound
        );
        let request = GetScoreRequest {
            batch_id: odd.to_owned(),
            ..get("P-1")
        };
        let code = refused(scoring.get_score(request).await).code();
        assert!(
            matches!(code, Code::NotFound | Code::InvalidArgument),
            "{code:?}"
        );
    }
    assert_eq!(field(scoring.get_score(get("")).await), "party_id");
    let request = GetScoreRequest {
        read_mask: mask(&["final_scores"]),
        ..get("P-1")
    };
    assert_eq!(field(scoring.get_score(request).await), "read_mask");

    let many = |ids: Vec<String>| BatchGetScoresRequest {
        party_ids: ids,
        ..BatchGetScoresRequest::default()
    };
    assert_eq!(
        field(scoring.batch_get_scores(many(vec![])).await),
        "party_ids"
    );
    let too_many = many(vec!["P".to_owned(); 1_001]);
    assert_eq!(field(scoring.batch_get_scores(too_many).await), "party_ids");
    let unnamed = many(vec!["P".to_owned(), String::new()]);
    assert_eq!(
        field(scoring.batch_get_scores(unnamed).await),
        "party_ids[1]"
    );

    let page = scoring
        .list_scores(ListScoresRequest {
            page_size: 5,
            ..ListScoresRequest::default()
        })
        .await
        .unwrap()
        .into_inner();
    let token = page.next_page_token;
    let in_another_order = ListScoresRequest {
        page_token: token.clone(),
        order: ScoreOrder::LowestFirst.into(),
        ..ListScoresRequest::default()
    };
    assert_eq!(
        field(scoring.list_scores(in_another_order).await),
        "page_token"
    );
    let altered = ListScoresRequest {
        page_token: format!("{}0", &token[..token.len() - 1]),
        ..ListScoresRequest::default()
    };
    assert_eq!(field(scoring.list_scores(altered).await), "page_token");
    for (request, named) in [
        (
            ListScoresRequest {
                band: "fabulous".to_owned(),
                ..Default::default()
            },
            "band",
        ),
        (
            ListScoresRequest {
                order: 99,
                ..Default::default()
            },
            "order",
        ),
        (
            ListScoresRequest {
                page_size: -1,
                ..Default::default()
            },
            "page_size",
        ),
        (
            ListScoresRequest {
                min_final_score: Some(700),
                max_final_score: Some(600),
                ..Default::default()
            },
            "max_final_score",
        ),
    ] {
        assert_eq!(field(scoring.list_scores(request).await), named);
    }
    for (request, named) in [
        (
            StreamScoresRequest {
                resume_token: token,
                ..Default::default()
            },
            "resume_token",
        ),
        (
            StreamScoresRequest {
                chunk_size: -1,
                ..Default::default()
            },
            "chunk_size",
        ),
    ] {
        let answer = scoring.stream_scores(request).await.map(|_| ());
        assert_eq!(field(answer), named);
    }
    place.stop().await;
}

#[tokio::test]
async fn vectors_are_scored_one_by_one_and_together_alike() {
    let mut place = Place::new().await;
    let mut scoring = place.scoring();
    let features = |size: f64| {
        [
            ("network_size".to_owned(), size),
            ("kyc_verified".to_owned(), 1.0),
        ]
    };
    let one = ScoreFeaturesRequest {
        features: features(9.0).into(),
        ..ScoreFeaturesRequest::default()
    };
    let alone = scoring
        .score_features(one)
        .await
        .unwrap()
        .into_inner()
        .score
        .unwrap();
    let vector = |key: &str, size: f64| Vector {
        key: key.to_owned(),
        features: features(size).into(),
    };
    let request = BatchScoreFeaturesRequest {
        vectors: vec![vector("x", 1.0), vector("y", 9.0)],
        read_mask: mask(&["*"]),
        ..BatchScoreFeaturesRequest::default()
    };
    let both = scoring
        .batch_score_features(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(both.scorecard_version, alone.scorecard_version);
    let expected = Score {
        party_id: "y".to_owned(),
        ..alone
    };
    assert_eq!(both.scores[1], expected);
    assert!(both.scores[0].raw < both.scores[1].raw);

    let request = BatchScoreFeaturesRequest {
        vectors: vec![vector("x", 9.0), vector("y", -1.0), vector("z", f64::NAN)],
        ..BatchScoreFeaturesRequest::default()
    };
    let error = refused(scoring.batch_score_features(request).await);
    let fields: Vec<_> = error
        .violations()
        .iter()
        .map(|one| one.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "vectors[1].features.network_size",
            "vectors[2].features.network_size"
        ]
    );
    let none = BatchScoreFeaturesRequest::default();
    assert_eq!(field(scoring.batch_score_features(none).await), "vectors");
    place.stop().await;
}

#[tokio::test]
async fn statistics_that_have_not_changed_are_not_sent_again() {
    let mut place = Place::new().await;
    place.score("B1", 50, 1, B1).await;
    let mut scoring = place.scoring();
    let ask = |if_none_match: String| GetStatisticsRequest {
        batch_id: "B1".to_owned(),
        if_none_match,
    };
    let first = scoring
        .get_statistics(ask(String::new()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((first.parties_scored, first.not_modified), (50, false));
    let same = scoring
        .get_statistics(ask(first.etag.clone()))
        .await
        .unwrap()
        .into_inner();
    assert!(same.not_modified && same.bands.is_empty() && same.etag == first.etag);
    place.rescore("B1", 30.0).await;
    let other = scoring
        .get_statistics(ask(first.etag.clone()))
        .await
        .unwrap()
        .into_inner();
    assert!(!other.not_modified && other.etag != first.etag);
    assert!(other.avg_score > first.avg_score);
    place.stop().await;
}
