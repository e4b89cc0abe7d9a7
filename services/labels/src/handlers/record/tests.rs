//! A stream of outcomes: good ones stay, bad ones are told by index, and repeating adds nothing.

use super::*;
use crate::store::MIGRATIONS;
use kycc_rpc::timestamp;
use kycc_store::sqlite::Store;

const NOW: i64 = 1_000_000_000;

async fn store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let log = store
        .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
        .await;
    log.unwrap();
    store.migrate("labels", &MIGRATIONS).await.unwrap();
    store
}

fn outcome(party: &str, days: i32) -> wire::Outcome {
    wire::Outcome {
        party_id: party.into(),
        kind: wire::OutcomeKind::LatePayment.into(),
        days_past_due: days,
        occurred_time: Some(timestamp(NOW)),
    }
}

fn message(outcomes: Vec<wire::Outcome>) -> RecordOutcomesRequest {
    RecordOutcomesRequest {
        outcomes,
        source: "feed".into(),
    }
}

#[tokio::test]
async fn bad_outcomes_are_told_by_their_index_in_the_stream_and_the_others_are_kept() {
    let store = store().await;
    let mut recorder = Recorder::new(&store, "ann");
    let future = wire::Outcome {
        occurred_time: Some(timestamp(NOW + 1)),
        ..outcome("C", 5)
    };
    let timeless = wire::Outcome {
        occurred_time: None,
        ..outcome("D", 5)
    };
    let kindless = wire::Outcome {
        kind: 99,
        ..outcome("E", 5)
    };
    let first = message(vec![outcome("A", 5), outcome("B", 0), outcome("A", 5)]);
    recorder.take(first, NOW).await.unwrap();
    let second = message(vec![future, timeless, kindless, outcome("F", 5)]);
    recorder.take(second, NOW).await.unwrap();
    let answer = recorder.answer();
    assert_eq!((answer.recorded, answer.duplicates), (2, 1));
    let errors: Vec<_> = answer
        .errors
        .iter()
        .map(|error| (error.index, error.field.as_str()))
        .collect();
    assert_eq!(
        errors,
        [
            (1, "days_past_due"),
            (3, "occurred_time"),
            (4, "occurred_time"),
            (5, "kind")
        ]
    );
}

#[tokio::test]
async fn a_stream_that_is_sent_again_records_nothing_new() {
    let store = store().await;
    for (recorded, duplicates) in [(2, 0), (0, 2)] {
        let mut recorder = Recorder::new(&store, "ann");
        let sent = message(vec![outcome("A", 5), outcome("B", 6)]);
        recorder.take(sent, NOW).await.unwrap();
        let answer = recorder.answer();
        assert_eq!((answer.recorded, answer.duplicates), (recorded, duplicates));
    }
}

#[tokio::test]
async fn a_feed_that_is_wrong_throughout_is_refused_without_keeping_the_message() {
    let store = store().await;
    let mut recorder = Recorder::new(&store, "ann");
    recorder
        .take(message(vec![outcome("A", 5)]), NOW)
        .await
        .unwrap();
    let mut outcomes = vec![outcome("", 5); MAX_ERRORS + 1];
    outcomes.insert(0, outcome("B", 5));
    let refused = recorder.take(message(outcomes), NOW).await.unwrap_err();
    assert_eq!(refused.reason(), "TOO_MANY_ERRORS");
    let told = refused.to_string();
    assert!(told.contains("the first is outcome 2: party_id"), "{told}");
    assert!(told.contains("recorded, 1 new outcomes"), "{told}");
    assert_eq!(store.newest().await.unwrap(), 1);
}

#[tokio::test]
async fn a_message_says_where_its_outcomes_come_from() {
    let store = store().await;
    for source in ["", " ", &"x".repeat(MAX_SOURCE_BYTES + 1)] {
        let sent = RecordOutcomesRequest {
            source: source.into(),
            ..message(vec![outcome("A", 5)])
        };
        let mut recorder = Recorder::new(&store, "ann");
        let refused = recorder.take(sent, NOW).await.unwrap_err();
        assert!(refused.to_string().starts_with("source: "), "{refused}");
    }
    assert_eq!(store.newest().await.unwrap(), 0);
}

#[test]
fn kinds_are_the_same_on_the_wire_and_in_the_store() {
    for kind in ["late_payment", "write_off", "collections", "paid"] {
        let known = crate::core::outcome::kind_named(kind).unwrap();
        let wire = kind_to_wire(known).as_str_name();
        assert_eq!(
            wire.trim_start_matches("OUTCOME_KIND_").to_lowercase(),
            kind
        );
    }
}
