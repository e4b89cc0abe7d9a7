//! What the log must do on every database.

mod stores;

use serde_json::json;
use tokio::task::JoinSet;

use super::*;
use kycc_store::StoreError;

kycc_testkit::on_every_store!(
    TABLES,
    MIGRATIONS,
    [
        an_entry_stands_with_its_transaction_or_not_at_all,
        chains_of_services_are_apart,
        appends_from_two_connections_make_one_chain,
        of_two_that_append_without_a_lock_one_fails_and_the_chain_stays_whole,
        every_tampered_column_is_found_where_it_lies,
        removed_moved_and_inserted_entries_are_found,
        a_log_that_was_cut_short_lacks_the_hash_that_was_kept,
        a_chain_is_verified_in_spans_that_go_on_where_the_last_one_ended,
        entries_are_listed_by_every_filter_in_both_orders_and_in_pages,
    ]
);

const SERVICE: &str = "labels";

/// What a service asks of the log, and what a stranger with the store's password could do.
trait AnyStore: AuditStore + Clone + 'static {
    fn append(
        &self,
        service: &str,
        deeds: &[Deed],
        commit: bool,
    ) -> impl Future<Output = Result<Vec<Entry>, StoreError>> + Send;
    /// Without the lock.
    fn append_unlocked(&self, deed: &Deed) -> impl Future<Output = Result<(), StoreError>> + Send;
    fn tamper(&self, sql: &'static str) -> impl Future<Output = u64> + Send;
}

fn deed(number: i64) -> Deed {
    Deed {
        at_micros: number * 10,
        principal: if number % 2 == 0 { "ann" } else { "bob" }.into(),
        action: "record".into(),
        subject: Subject::new("batch", number),
        reason: "because".into(),
        details: json!({"number": number}),
        request_id: format!("q-{number}"),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
    }
}

fn deeds(numbers: std::ops::RangeInclusive<i64>) -> Vec<Deed> {
    numbers.map(deed).collect()
}

fn whole<'a>(service: &'a str, known: &'a str) -> Span<'a> {
    Span {
        service,
        from: Head::genesis(),
        known,
        found: false,
        limit: u64::MAX,
    }
}

async fn verified(store: &impl AnyStore, known: &str) -> Verified {
    store
        .verify_audit_span(&whole(SERVICE, known))
        .await
        .unwrap()
}

async fn an_entry_stands_with_its_transaction_or_not_at_all<S: AnyStore>(store: S) {
    store.append(SERVICE, &deeds(1..=1), true).await.unwrap();
    store.append(SERVICE, &deeds(2..=2), false).await.unwrap();
    assert_eq!(verified(&store, "").await.entries, 1);
    let again = store.append(SERVICE, &deeds(2..=2), true).await.unwrap();
    assert_eq!(again[0].sequence, 2);
    assert_eq!(store.append(SERVICE, &[], true).await.unwrap(), []);
    let found = verified(&store, "").await;
    assert_eq!(
        (found.entries, found.complete, found.broken),
        (2, true, None)
    );
}

async fn chains_of_services_are_apart<S: AnyStore>(store: S) {
    store.append(SERVICE, &deeds(1..=3), true).await.unwrap();
    let other = store
        .append("scorecards", &deeds(4..=4), true)
        .await
        .unwrap();
    assert_eq!(
        (other[0].sequence, other[0].previous_hash.as_str()),
        (1, GENESIS)
    );
    let chains = store.audit_chains().await.unwrap();
    let chains: Vec<_> = chains
        .iter()
        .map(|chain| (chain.service.as_str(), chain.entries))
        .collect();
    assert_eq!(chains, [(SERVICE, 3), ("scorecards", 1)]);
}

async fn appends_from_two_connections_make_one_chain<S: AnyStore>(store: S) {
    let mut writers = JoinSet::new();
    for writer in 0..2 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0..20 {
                let number = writer * 100 + number;
                store
                    .append(SERVICE, &deeds(number..=number + 1), true)
                    .await
                    .unwrap();
            }
        });
    }
    writers.join_all().await;
    let found = verified(&store, "").await;
    assert_eq!((found.entries, found.broken), (80, None));
}

async fn of_two_that_append_without_a_lock_one_fails_and_the_chain_stays_whole<S: AnyStore>(
    store: S,
) {
    let mut writers = JoinSet::new();
    for number in 0..8 {
        let store = store.clone();
        writers.spawn(async move { store.append_unlocked(&deed(number)).await });
    }
    let outcomes = writers.join_all().await;
    let stand = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!(
        outcomes
            .iter()
            .flat_map(|outcome| outcome.as_ref().err())
            .all(StoreError::is_unique_violation)
    );
    let found = verified(&store, "").await;
    assert_eq!((found.entries, found.broken), (stand as i64, None));
}

async fn refilled(store: &impl AnyStore) {
    store.tamper("DELETE FROM audit_entries").await;
    store.append(SERVICE, &deeds(1..=7), true).await.unwrap();
    assert_eq!(verified(store, "").await.broken, None);
}

async fn broken_by(store: &impl AnyStore, sql: &'static str) -> Break {
    refilled(store).await;
    assert_ne!(store.tamper(sql).await, 0, "{sql}");
    let broken = verified(store, "").await.broken;
    broken.unwrap_or_else(|| panic!("not found: {sql}"))
}

async fn every_tampered_column_is_found_where_it_lies<S: AnyStore>(store: S) {
    for sql in [
        "UPDATE audit_entries SET service = 'scoring' WHERE sequence = 4",
        "UPDATE audit_entries SET sequence = 40 WHERE sequence = 4",
        "UPDATE audit_entries SET created_at = 11 WHERE sequence = 4",
        "UPDATE audit_entries SET principal = 'eve' WHERE sequence = 4",
        "UPDATE audit_entries SET action = 'look' WHERE sequence = 4",
        "UPDATE audit_entries SET subject = 'batch/9' WHERE sequence = 4",
        "UPDATE audit_entries SET reason = 'none' WHERE sequence = 4",
        "UPDATE audit_entries SET details = '{}' WHERE sequence = 4",
        "UPDATE audit_entries SET request_id = '' WHERE sequence = 4",
        "UPDATE audit_entries SET trace_id = '' WHERE sequence = 4",
        "UPDATE audit_entries SET previous_hash = hash WHERE sequence = 4",
        "UPDATE audit_entries SET hash = previous_hash WHERE sequence = 4",
    ] {
        let broken = broken_by(&store, sql).await;
        assert_eq!(broken.sequence, 4, "{sql}: {}", broken.message);
    }
}

async fn removed_moved_and_inserted_entries_are_found<S: AnyStore>(store: S) {
    let removed = broken_by(&store, "DELETE FROM audit_entries WHERE sequence = 3").await;
    assert_eq!(
        removed.message,
        "entry 3 is missing: after entry 2 comes entry 4"
    );
    let first = broken_by(&store, "DELETE FROM audit_entries WHERE sequence = 1").await;
    assert_eq!(first.sequence, 1);
    refilled(&store).await;
    store.tamper("UPDATE audit_entries SET sequence = CASE sequence WHEN 3 THEN -5 ELSE -3 END WHERE sequence IN (3, 5)").await;
    store
        .tamper("UPDATE audit_entries SET sequence = -sequence WHERE sequence < 0")
        .await;
    assert_eq!(
        verified(&store, "")
            .await
            .broken
            .map(|broken| broken.sequence),
        Some(3)
    );
    let unseen = broken_by(
        &store,
        "INSERT INTO audit_entries SELECT service, 0, created_at, principal, action, subject, reason, details, request_id, \
            trace_id, previous_hash, hash FROM audit_entries WHERE sequence = 2",
    )
    .await;
    assert_eq!(
        unseen.message,
        "the log has 8 entries, of which 7 make a chain"
    );
}

async fn a_log_that_was_cut_short_lacks_the_hash_that_was_kept<S: AnyStore>(store: S) {
    store.append(SERVICE, &deeds(1..=3), true).await.unwrap();
    let kept = verified(&store, "").await.head.hash;
    store.append(SERVICE, &deeds(4..=5), true).await.unwrap();
    assert_eq!(verified(&store, &kept).await.broken, None);
    store
        .tamper("DELETE FROM audit_entries WHERE sequence > 2")
        .await;
    assert_eq!(verified(&store, "").await.broken, None);
    let broken = verified(&store, &kept).await.broken.unwrap();
    assert!(
        broken.message.contains("cut short or written anew"),
        "{broken:?}"
    );
}

async fn a_chain_is_verified_in_spans_that_go_on_where_the_last_one_ended<S: AnyStore>(store: S) {
    store
        .append(SERVICE, &deeds(1..=1_203), true)
        .await
        .unwrap();
    let kept = store
        .audit_entries(&Filter::default(), Order::OldestFirst, None, 2)
        .await
        .unwrap()
        .remove(1)
        .hash;
    let mut span = Span {
        limit: 601,
        ..whole(SERVICE, &kept)
    };
    let first = store.verify_audit_span(&span).await.unwrap();
    assert_eq!(
        (first.head.sequence, first.complete, first.found),
        (601, false, true)
    );
    span.from = first.head;
    span.found = first.found;
    store.append(SERVICE, &deeds(1..=3), true).await.unwrap();
    let second = store.verify_audit_span(&span).await.unwrap();
    assert_eq!((second.head.sequence, second.complete), (1_202, false));
    span.from = second.head;
    let third = store.verify_audit_span(&span).await.unwrap();
    assert_eq!(
        (third.head.sequence, third.complete, third.broken),
        (1_206, true, None)
    );
    // What follows a span belongs to it, or the chain is broken there.
    store
        .tamper("UPDATE audit_entries SET reason = '' WHERE sequence = 1205")
        .await;
    let broken = store.verify_audit_span(&span).await.unwrap().broken;
    assert_eq!(broken.map(|broken| broken.sequence), Some(1_205));
}

async fn entries_are_listed_by_every_filter_in_both_orders_and_in_pages<S: AnyStore>(store: S) {
    store.append(SERVICE, &deeds(1..=6), true).await.unwrap();
    store
        .append("scorecards", &deeds(3..=3), true)
        .await
        .unwrap();
    let numbers = async |filter: Filter| -> Vec<i64> {
        let found = store
            .audit_entries(&filter, Order::OldestFirst, None, 100)
            .await
            .unwrap();
        found.iter().map(|entry| entry.at_micros / 10).collect()
    };
    let all = Filter::default();
    assert_eq!(numbers(all.clone()).await, [1, 2, 3, 3, 4, 5, 6]);
    assert_eq!(
        numbers(Filter {
            service: "scorecards".into(),
            ..all.clone()
        })
        .await,
        [3]
    );
    assert_eq!(
        numbers(Filter {
            subject: "batch/5".into(),
            ..all.clone()
        })
        .await,
        [5]
    );
    assert_eq!(
        numbers(Filter {
            subject: "batch/".into(),
            ..all.clone()
        })
        .await
        .len(),
        7
    );
    assert_eq!(
        numbers(Filter {
            subject: "batch".into(),
            ..all.clone()
        })
        .await
        .len(),
        0
    );
    assert_eq!(
        numbers(Filter {
            principal: "ann".into(),
            ..all.clone()
        })
        .await,
        [2, 4, 6]
    );
    assert_eq!(
        numbers(Filter {
            action: "launch".into(),
            ..all.clone()
        })
        .await
        .len(),
        0
    );
    assert_eq!(
        numbers(Filter {
            request_id: "q-3".into(),
            ..all.clone()
        })
        .await,
        [3, 3]
    );
    let span = Filter {
        from_micros: Some(20),
        until_micros: Some(40),
        ..all.clone()
    };
    assert_eq!(numbers(span).await, [2, 3, 3]);
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let at_once = store.audit_entries(&all, order, None, 100).await.unwrap();
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .audit_entries(&all, order, after.as_ref(), 3)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Position {
                at_micros: last.at_micros,
                service: last.service.clone(),
                sequence: last.sequence,
            });
            paged.extend(page);
        }
        assert_eq!(paged, at_once);
        assert_eq!(
            paged.first().map(|entry| entry.at_micros),
            Some(if order == Order::OldestFirst { 10 } else { 60 })
        );
    }
}
