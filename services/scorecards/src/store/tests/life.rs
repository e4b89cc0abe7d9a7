//! The life of versions, one request after another and several at once.

use super::*;
use crate::core::audit::Action;

kycc_testkit::on_every_store!(
    "scorecards",
    &MIGRATIONS,
    [
        a_version_is_approved_activated_and_rolled_back_with_an_entry_for_each,
        rolling_back_where_nothing_was_active_before_is_refused,
        a_repeated_request_changes_nothing_even_where_it_names_no_version,
        one_version_shadows_until_another_does_it_becomes_active_or_is_closed,
        a_version_that_is_not_there_is_not_found,
        a_refused_change_leaves_no_trace,
        of_two_activations_at_once_one_stands_and_the_other_was_judged_against_another_champion,
        what_was_judged_against_a_champion_that_was_replaced_is_neither_approved_nor_activated,
        a_second_rollback_has_to_name_its_version,
        of_two_who_decide_on_the_same_etag_one_does_and_the_other_is_told,
        of_two_approvals_at_once_one_is_kept,
    ]
);

/// Versions by name, newest first, with their status.
async fn statuses(store: &impl AnyStore) -> Vec<(String, Status)> {
    let all = store.list(None, 100).await.unwrap();
    let of = |version: &Version| (version.name().to_owned(), version.status());
    all.iter().map(of).collect()
}

async fn actions(store: &impl AnyStore) -> Vec<String> {
    let entries = store.entries("", 0, 100).await.unwrap();
    let of = |entry: Entry| format!("{} {}", entry.action, entry.version());
    entries.into_iter().map(of).collect()
}

async fn intact(store: &impl AnyStore) {
    let report = store.verify("").await.unwrap();
    assert_eq!(report.broken, None);
}

fn refusal(outcome: Result<Option<Version>, ChangeError>) -> &'static str {
    match outcome.unwrap_err() {
        ChangeError::Refused(refusal) => refusal.reason(),
        error => panic!("{error}"),
    }
}

async fn a_version_is_approved_activated_and_rolled_back_with_an_entry_for_each<S: AnyStore>(
    store: S,
) {
    opened(&store).await;
    let version = approved(&store, "1.0-a", 2.0).await;
    assert_eq!(version.standing.approver.as_deref(), Some("bob"));
    let active = store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await;
    let active = active.unwrap().unwrap();
    assert_eq!(
        (active.status(), active.standing.activated_at_micros),
        (Status::Active, Some(9))
    );
    let back = store
        .change(&Target::Before, &request(Wish::RollBack))
        .await;
    assert_eq!(back.unwrap().unwrap().name(), "1.0");
    assert_eq!(
        actions(&store).await,
        [
            "enter 1.0",
            "enter 1.0-a",
            "approve 1.0-a",
            "retire 1.0",
            "activate 1.0-a",
            "retire 1.0-a",
            "roll_back 1.0"
        ]
    );
    // And forth again, by its hash.
    let hash = active.card.hash().to_string();
    let forth = store
        .change(&named(&hash[..12]), &request(Wish::RollBack))
        .await;
    assert_eq!(forth.unwrap().unwrap().name(), "1.0-a");
    intact(&store).await;
}

async fn rolling_back_where_nothing_was_active_before_is_refused<S: AnyStore>(store: S) {
    opened(&store).await;
    let outcome = store
        .change(&Target::Before, &request(Wish::RollBack))
        .await;
    assert_eq!(refusal(outcome), "NEVER_ACTIVE");
}

async fn a_repeated_request_changes_nothing_even_where_it_names_no_version<S: AnyStore>(store: S) {
    opened(&store).await;
    approved(&store, "1.0-a", 2.0).await;
    store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await
        .unwrap();
    let back = Request {
        request_id: "q-1".into(),
        ..request(Wish::RollBack)
    };
    for _ in 0..2 {
        let version = store.change(&Target::Before, &back).await.unwrap().unwrap();
        assert_eq!(version.name(), "1.0");
    }
    assert_eq!(store.active().await.unwrap().unwrap().name(), "1.0");
    let other = Request {
        wish: Wish::Shadow,
        ..back
    };
    assert_eq!(
        refusal(store.change(&named("1.0-a"), &other).await),
        "REQUEST_ID_REUSED"
    );
    let before = actions(&store).await;
    store
        .change(&named("1.0"), &request(Wish::Activate))
        .await
        .unwrap();
    assert_eq!(actions(&store).await, before);
    intact(&store).await;
}

async fn one_version_shadows_until_another_does_it_becomes_active_or_is_closed<S: AnyStore>(
    store: S,
) {
    opened(&store).await;
    approved(&store, "1.0-a", 2.0).await;
    store.enter(&version("1.0-b", 3.0, 3), None).await.unwrap();
    let shadow = async || {
        store
            .shadow()
            .await
            .unwrap()
            .map(|version| version.name().to_owned())
    };
    store
        .change(&named("1.0-b"), &request(Wish::Shadow))
        .await
        .unwrap();
    store
        .change(&named("1.0-a"), &request(Wish::Shadow))
        .await
        .unwrap();
    assert_eq!(shadow().await.as_deref(), Some("1.0-a"));
    store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await
        .unwrap();
    assert_eq!(shadow().await, None);
    store
        .change(&named("1.0-b"), &request(Wish::Shadow))
        .await
        .unwrap();
    store
        .change(&named("1.0-b"), &request(Wish::Reject))
        .await
        .unwrap();
    assert_eq!(shadow().await, None);
    let none = store
        .change(&Target::Shadowing, &request(Wish::Unshadow))
        .await;
    assert_eq!(none.unwrap(), None);
    intact(&store).await;
}

async fn a_version_that_is_not_there_is_not_found<S: AnyStore>(store: S) {
    opened(&store).await;
    let outcome = store.change(&named("7.0"), &approve()).await;
    assert!(matches!(outcome, Err(ChangeError::NotFound { name }) if name == "7.0"));
}

async fn a_refused_change_leaves_no_trace<S: AnyStore>(store: S) {
    opened(&store).await;
    store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
    let outcome = store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await;
    assert_eq!(refusal(outcome), "NOT_APPROVED");
    assert_eq!(actions(&store).await.len(), 2);
}

async fn of_two_activations_at_once_one_stands_and_the_other_was_judged_against_another_champion<
    S: AnyStore,
>(
    store: S,
) {
    opened(&store).await;
    for round in 0..10u8 {
        let names = [format!("2.{round}"), format!("3.{round}")];
        for (name, factor) in names.iter().zip([2.0, 200.0]) {
            approved(&store, name, factor + f64::from(round)).await;
        }
        let (left, right) = (named(&names[0]), named(&names[1]));
        let wish = request(Wish::Activate);
        let (left, right) = tokio::join!(store.change(&left, &wish), store.change(&right, &wish));
        assert_ne!(left.is_ok(), right.is_ok());
        let loser = if left.is_err() { left } else { right };
        assert_eq!(refusal(loser), "CHAMPION_CHANGED");
        let all = statuses(&store).await;
        let with = |status| {
            let mine = all.iter().filter(|(name, _)| names.contains(name));
            mine.filter(|(_, of)| *of == status).count()
        };
        assert_eq!(
            (with(Status::Active), with(Status::Approved)),
            (1, 1),
            "{all:?}"
        );
    }
    intact(&store).await;
}

async fn what_was_judged_against_a_champion_that_was_replaced_is_neither_approved_nor_activated<
    S: AnyStore,
>(
    store: S,
) {
    opened(&store).await;
    approved(&store, "1.0-a", 2.0).await;
    approved(&store, "1.0-b", 3.0).await;
    store.enter(&version("1.0-c", 4.0, 2), None).await.unwrap();
    let activate = request(Wish::Activate);
    store.change(&named("1.0-a"), &activate).await.unwrap();
    let late = store.change(&named("1.0-b"), &activate).await;
    assert_eq!(refusal(late), "CHAMPION_CHANGED");
    let late = store.change(&named("1.0-c"), &approve()).await.unwrap_err();
    assert_eq!(
        late.to_string(),
        "version 1.0-c was judged against 1.0, but 1.0-a decides now; train and refine again"
    );
    // A rollback goes back to what was judged in its own time, and then the verdicts hold again.
    store
        .change(&Target::Before, &request(Wish::RollBack))
        .await
        .unwrap();
    store.change(&named("1.0-b"), &activate).await.unwrap();
    intact(&store).await;
}

async fn a_second_rollback_has_to_name_its_version<S: AnyStore>(store: S) {
    opened(&store).await;
    for (name, factor) in [("1.0-a", 2.0), ("1.0-b", 3.0)] {
        approved(&store, name, factor).await;
        store
            .change(&named(name), &request(Wish::Activate))
            .await
            .unwrap();
    }
    let back = request(Wish::RollBack);
    let first = store.change(&Target::Before, &back).await.unwrap().unwrap();
    assert_eq!(first.name(), "1.0-a");
    let second = store.change(&Target::Before, &back).await.unwrap_err();
    assert!(second.to_string().contains("1.0-b, 1.0"), "{second}");
    assert_eq!(refusal(Err(second)), "VERSION_REQUIRED");
    let named = store.change(&named("1.0"), &back).await.unwrap().unwrap();
    assert_eq!(named.name(), "1.0");
    intact(&store).await;
}

async fn of_two_who_decide_on_the_same_etag_one_does_and_the_other_is_told<S: AnyStore>(store: S) {
    opened(&store).await;
    for round in 0..10u8 {
        let name = format!("2.{round}");
        let gated = version(&name, 2.0 + f64::from(round), 2);
        store.enter(&gated, None).await.unwrap();
        let etag = store.get(&name).await.unwrap().unwrap().etag();
        let approve = Request {
            etag: etag.clone(),
            ..approve()
        };
        let reject = Request {
            etag,
            ..request(Wish::Reject)
        };
        let target = named(&name);
        let (approved, rejected) = tokio::join!(
            store.change(&target, &approve),
            store.change(&target, &reject)
        );
        assert_ne!(approved.is_ok(), rejected.is_ok());
        let loser = if approved.is_err() {
            approved
        } else {
            rejected
        };
        assert_eq!(refusal(loser), "ETAG_MISMATCH");
    }
    intact(&store).await;
}

async fn of_two_approvals_at_once_one_is_kept<S: AnyStore>(store: S) {
    opened(&store).await;
    store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
    let target = named("1.0-a");
    let carol = Request {
        principal: "carol".into(),
        ..approve()
    };
    let bob = approve();
    let (first, second) = tokio::join!(store.change(&target, &bob), store.change(&target, &carol));
    assert_eq!(first.unwrap(), second.unwrap());
    let approvals = store.entries("1.0-a", 0, 9).await.unwrap();
    let approvals = approvals
        .iter()
        .filter(|entry| entry.action == Action::Approve.as_str());
    assert_eq!(approvals.count(), 1);
}

/// `again` opens what `store` has closed.
async fn stands_after_a_restart<S: AnyStore, F: Future<Output = S>>(
    store: S,
    close: impl AsyncFnOnce(S),
    again: F,
) {
    opened(&store).await;
    approved(&store, "1.0-a", 2.0).await;
    store
        .change(&named("1.0-a"), &request(Wish::Shadow))
        .await
        .unwrap();
    let (versions, log) = (
        store.list(None, 9).await.unwrap(),
        store.entries("", 0, 9).await.unwrap(),
    );
    let head = store.verify("").await.unwrap().head;
    close(store).await;
    let store = again.await;
    opened(&store).await;
    assert_eq!(store.list(None, 9).await.unwrap(), versions);
    assert_eq!(store.entries("", 0, 9).await.unwrap(), log);
    let report = store.verify(&head.hash).await.unwrap();
    assert_eq!((report.head, report.broken), (head, None));
}

#[tokio::test]
async fn everything_in_sqlite_stands_after_a_restart_as_it_stood_before() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let open = async || {
        let store = kycc_store::sqlite::Store::open(&url).await.unwrap();
        let log = store
            .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
            .await;
        log.unwrap();
        store.migrate("scorecards", &MIGRATIONS).await.unwrap();
        store
    };
    let close = async |store: kycc_store::sqlite::Store| store.close().await;
    Box::pin(stands_after_a_restart(open().await, close, open())).await;
}

#[tokio::test]
async fn everything_in_postgres_stands_after_a_restart_as_it_stood_before() {
    let database = kycc_testkit::postgres::fresh().await;
    let open = async || {
        let store = database.open().await;
        let log = store
            .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
            .await;
        log.unwrap();
        store.migrate("scorecards", &MIGRATIONS).await.unwrap();
        store
    };
    let close = async |store: kycc_store::postgres::Store| store.close().await;
    Box::pin(stands_after_a_restart(open().await, close, open())).await;
}
