//! Appending is idempotent and gapless; reading stops where it is told to, and pages neither skip nor repeat.

use super::*;
use kycc_domain::labels::OutcomeKind;

kycc_testkit::on_every_store!(
    "labels",
    &MIGRATIONS,
    [
        a_repeated_outcome_is_recorded_once_and_numbers_have_no_gaps,
        the_same_outcome_of_another_source_is_another_record,
        reading_stops_at_the_number_the_time_and_the_limit_asked_for,
        outcomes_of_a_party_come_by_time_and_go_on_after_a_place,
        eight_who_append_at_once_leave_no_gap_and_readers_miss_none,
        each_message_that_adds_something_has_one_entry_in_the_audit_log,
    ]
);

fn outcome(party: &str, at: i64) -> Outcome {
    Outcome {
        party_id: party.into(),
        kind: OutcomeKind::WriteOff,
        days_past_due: 0,
        occurred_at_micros: at,
    }
}

const FEED: Recording<'static> = Recording {
    source: "feed",
    recorded_by: "ann",
    recorded_at_micros: 99,
};

const ALL: Span = Span {
    after: 0,
    through: i64::MAX,
    until_micros: i64::MAX,
};

async fn read(store: &impl OutcomeStore, span: Span, limit: usize) -> Vec<(i64, Outcome)> {
    store.read(span, limit).await.unwrap()
}

async fn a_repeated_outcome_is_recorded_once_and_numbers_have_no_gaps<S: OutcomeStore>(store: S) {
    let (a, b, c) = (outcome("A", 1), outcome("B", 2), outcome("C", 3));
    let first = [a.clone(), b.clone(), a.clone()];
    assert_eq!(store.append(&first, FEED).await.unwrap(), 2);
    let second = [b.clone(), c.clone()];
    assert_eq!(store.append(&second, FEED).await.unwrap(), 1);
    assert_eq!(store.newest().await.unwrap(), 3);
    assert_eq!(read(&store, ALL, 10).await, [(1, a), (2, b), (3, c)]);
}

async fn the_same_outcome_of_another_source_is_another_record<S: OutcomeStore>(store: S) {
    let all = [outcome("A", 1)];
    assert_eq!(store.append(&all, FEED).await.unwrap(), 1);
    let bureau = Recording {
        source: "bureau",
        ..FEED
    };
    assert_eq!(store.append(&all, bureau).await.unwrap(), 1);
}

async fn reading_stops_at_the_number_the_time_and_the_limit_asked_for<S: OutcomeStore>(store: S) {
    let all = [outcome("A", 1), outcome("B", 9), outcome("C", 5)];
    store.append(&all, FEED).await.unwrap();
    let numbers = |rows: Vec<(i64, Outcome)>| -> Vec<i64> {
        rows.into_iter().map(|(number, _)| number).collect()
    };
    let through = Span { through: 2, ..ALL };
    assert_eq!(numbers(read(&store, through, 10).await), [1, 2]);
    let until = Span {
        until_micros: 5,
        ..ALL
    };
    assert_eq!(numbers(read(&store, until, 10).await), [1, 3]);
    assert_eq!(numbers(read(&store, ALL, 2).await), [1, 2]);
    let rest = Span { after: 2, ..ALL };
    assert_eq!(numbers(read(&store, rest, 2).await), [3]);
}

async fn outcomes_of_a_party_come_by_time_and_go_on_after_a_place<S: OutcomeStore>(store: S) {
    let all = [
        outcome("A", 9),
        outcome("B", 1),
        outcome("A", 3),
        Outcome {
            kind: OutcomeKind::Paid,
            ..outcome("A", 3)
        },
    ];
    store.append(&all, FEED).await.unwrap();
    let mut after = Place::START;
    let mut found = Vec::new();
    while let [one] = &store.of_party("A", after, 1).await.unwrap()[..] {
        after = one.place;
        found.push(one.clone());
    }
    let numbers: Vec<_> = found.iter().map(|one| one.place.number).collect();
    assert_eq!(numbers, [3, 4, 1]);
    assert_eq!(found[0].outcome, all[2]);
    assert_eq!(
        (found[0].source.as_str(), found[0].recorded_at_micros),
        ("feed", 99)
    );
    assert_eq!(found[0].recorded_by, "ann");
}

async fn eight_who_append_at_once_leave_no_gap_and_readers_miss_none<S>(store: S)
where
    S: OutcomeStore + Clone + 'static,
{
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            let mut recorded = 0;
            for at in 0..10 {
                // Every second one is recorded by all of them.
                let shared = outcome("shared", at);
                let own = outcome(&format!("own-{writer}"), at);
                recorded += store.append(&[shared, own], FEED).await.unwrap();
            }
            recorded
        });
    }
    let mut recorded = 0;
    while !writers.is_empty() {
        let through = store.newest().await.unwrap();
        let seen = read(&store, Span { through, ..ALL }, 1_000).await;
        assert_eq!(
            seen.len() as i64,
            through,
            "numbers up to the newest are all there"
        );
        if let Some(done) = writers.try_join_next() {
            recorded += done.unwrap();
        }
    }
    assert_eq!(recorded, 90);
    let numbers: Vec<i64> = read(&store, ALL, 1_000)
        .await
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert_eq!(numbers, (1..=90).collect::<Vec<_>>());
}

async fn each_message_that_adds_something_has_one_entry_in_the_audit_log<
    S: OutcomeStore + kycc_audit::AuditStore,
>(
    store: S,
) {
    let first = [outcome("A", 1), outcome("B", 2), outcome("A", 1)];
    store.append(&first, FEED).await.unwrap();
    // Nothing new: nothing to tell.
    store.append(&first[..2], FEED).await.unwrap();
    store.append(&[outcome("C", 3)], FEED).await.unwrap();
    let filter = kycc_audit::Filter::default();
    let order = kycc_audit::Order::OldestFirst;
    let entries = store.audit_entries(&filter, order, None, 9).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.principal.as_str(),
                entry.subject.as_str(),
                entry.details.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "ann",
                "outcomes/feed",
                r#"{"duplicates":1,"first_outcome":1,"last_outcome":2,"recorded":2}"#
            ),
            (
                "ann",
                "outcomes/feed",
                r#"{"duplicates":0,"first_outcome":3,"last_outcome":3,"recorded":1}"#
            ),
        ]
    );
}
