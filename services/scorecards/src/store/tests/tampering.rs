//! Whatever is changed behind the log's back is found, and named.

use super::*;

kycc_testkit::on_every_store!(
    "scorecards",
    &MIGRATIONS,
    [
        every_column_of_an_entry,
        a_removed_entry,
        two_entries_that_changed_places,
        an_entry_out_of_the_chains_sight,
        a_log_that_was_cut_short_contradicts_its_versions,
        a_log_that_was_cut_short_together_with_its_versions_lacks_the_hash_that_was_kept,
        every_column_of_a_version,
        a_log_that_was_emptied_stays_broken_after_a_restart_and_takes_no_change,
        versions_without_any_entry_are_not_sealed_by_the_next_one,
        a_version_that_nobody_entered,
    ]
);

/// Seven entries: 1 and 2 enter, 3 approves, 4 and 5 put into the shadow and out, 6 retires, 7 activates. Whatever was in
/// the store before is gone.
async fn lived_in(store: &impl AnyStore) {
    store.tamper("DELETE FROM audit_entries").await;
    store.tamper("DELETE FROM scorecards_versions").await;
    opened(store).await;
    let sure = Request {
        request_id: "q-1".into(),
        ..request(Wish::Shadow)
    };
    approved(store, "1.0-a", 2.0).await;
    store.change(&named("1.0-a"), &sure).await.unwrap();
    store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await
        .unwrap();
    let report = store.verify("").await.unwrap();
    assert_eq!((report.entries, report.broken), (7, None));
}

async fn execute(store: &impl AnyStore, sql: &'static str) {
    assert_ne!(store.tamper(sql).await, 0, "{sql}");
}

/// The sequence that verification names after `sql`, and what it says.
async fn found(store: &impl AnyStore, sql: &'static str) -> (i64, String) {
    lived_in(store).await;
    execute(store, sql).await;
    let broken = store.verify("").await.unwrap().broken;
    let broken = broken.unwrap_or_else(|| panic!("not found: {sql}"));
    (broken.sequence, broken.message)
}

async fn every_column_of_an_entry<S: AnyStore>(store: S) {
    for sql in [
        "UPDATE audit_entries SET created_at = 10 WHERE sequence = 4",
        "UPDATE audit_entries SET principal = 'eve' WHERE sequence = 4",
        "UPDATE audit_entries SET action = 'unshadow' WHERE sequence = 4",
        "UPDATE audit_entries SET subject = 'scorecard/1.0' WHERE sequence = 4",
        "UPDATE audit_entries SET trace_id = '00' WHERE sequence = 4",
        "UPDATE audit_entries SET reason = 'worse' WHERE sequence = 4",
        "UPDATE audit_entries SET details = '{}' WHERE sequence = 4",
        "UPDATE audit_entries SET request_id = 'q-2' WHERE sequence = 4",
        "UPDATE audit_entries SET request_id = '' WHERE sequence = 4",
        "UPDATE audit_entries SET previous_hash = hash WHERE sequence = 4",
        "UPDATE audit_entries SET hash = previous_hash WHERE sequence = 4",
        "UPDATE audit_entries SET sequence = 40 WHERE sequence = 4",
    ] {
        let (sequence, message) = found(&store, sql).await;
        assert_eq!(sequence, 4, "{sql}: {message}");
    }
}

async fn a_removed_entry<S: AnyStore>(store: S) {
    let (sequence, message) = found(&store, "DELETE FROM audit_entries WHERE sequence = 3").await;
    assert_eq!(
        (sequence, message.as_str()),
        (3, "entry 3 is missing: after entry 2 comes entry 4")
    );
    let (sequence, _) = found(&store, "DELETE FROM audit_entries WHERE sequence = 1").await;
    assert_eq!(sequence, 1);
}

async fn two_entries_that_changed_places<S: AnyStore>(store: S) {
    let swap = "UPDATE audit_entries SET sequence = CASE sequence WHEN 3 THEN -5 ELSE -3 END WHERE sequence IN (3, 5)";
    lived_in(&store).await;
    execute(&store, swap).await;
    execute(
        &store,
        "UPDATE audit_entries SET sequence = -sequence WHERE sequence < 0",
    )
    .await;
    let broken = store.verify("").await.unwrap().broken.unwrap();
    assert_eq!(broken.sequence, 3);
}

async fn an_entry_out_of_the_chains_sight<S: AnyStore>(store: S) {
    let (_, message) = found(
        &store,
        "INSERT INTO audit_entries SELECT service, 0, created_at, principal, action, subject, reason, details, request_id,
            trace_id, previous_hash, hash
         FROM audit_entries WHERE sequence = 2",
    )
    .await;
    assert_eq!(message, "the log has 8 entries, of which 7 make a chain");
}

async fn a_log_that_was_cut_short_contradicts_its_versions<S: AnyStore>(store: S) {
    let (sequence, message) = found(&store, "DELETE FROM audit_entries WHERE sequence > 5").await;
    assert!(
        message.contains("behind the log's back"),
        "{sequence} {message}"
    );
}

async fn a_log_that_was_cut_short_together_with_its_versions_lacks_the_hash_that_was_kept<
    S: AnyStore,
>(
    store: S,
) {
    opened(&store).await;
    store.enter(&version("1.0-a", 2.0, 2), None).await.unwrap();
    let kept = store.verify("").await.unwrap().head.hash;
    execute(&store, "DELETE FROM audit_entries WHERE sequence = 2").await;
    execute(
        &store,
        "DELETE FROM scorecards_versions WHERE version = '1.0-a'",
    )
    .await;
    assert_eq!(store.verify("").await.unwrap().broken, None);
    let broken = store.verify(&kept).await.unwrap().broken.unwrap();
    assert!(
        broken.message.contains("cut short or written anew"),
        "{broken:?}"
    );
    // A hash that is kept stays good while the log grows.
    let kept = store.verify("").await.unwrap().head.hash;
    store.enter(&version("1.0-b", 3.0, 3), None).await.unwrap();
    assert_eq!(store.verify(&kept).await.unwrap().broken, None);
}

async fn every_column_of_a_version<S: AnyStore>(store: S) {
    for sql in [
        "UPDATE scorecards_versions SET version = '1.0-z' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET hash = '00' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET status = 'approved' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET status = 'sold' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET card = replace(card, '\"cutoff\":600', '\"cutoff\":650') WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET card = '{}' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET gates = replace(gates, 'pass', 'warn') WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET gates = NULL WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET model_card = '{}' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET missing_link = 'x' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET author = 'eve' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET approver = 'eve' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET note = 'fine' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET gate_notes = '{\"CHAMPION\":\"x\"}' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET self_approved = 1 WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET shadow = 1 WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET parent = NULL WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET model_id = 'm-2' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET run_id = 'r-2' WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET blend = 0.4 WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET created_at = 1 WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET activated_at = 1 WHERE version = '1.0-a'",
        "UPDATE scorecards_versions SET revision = 3 WHERE version = '1.0-a'",
        "DELETE FROM scorecards_versions WHERE version = '1.0-a'",
    ] {
        let (_, message) = found(&store, sql).await;
        assert!(message.contains("version 1.0-a"), "{sql}: {message}");
    }
}

async fn a_log_that_was_emptied_stays_broken_after_a_restart_and_takes_no_change<S: AnyStore>(
    store: S,
) {
    for emptied in [
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE sequence > 5",
        "DELETE FROM scorecards_versions",
    ] {
        lived_in(&store).await;
        execute(&store, emptied).await;
        let entries = store.verify("").await.unwrap().entries;
        let opened = store.open(&first()).await;
        assert!(
            matches!(opened, Err(ChangeError::Unaccounted { .. })),
            "{emptied}: {opened:?}"
        );
        let entered = store.enter(&version("1.0-b", 3.0, 3), None).await;
        assert!(
            matches!(entered, Err(ChangeError::Unaccounted { .. })),
            "{emptied}: {entered:?}"
        );
        let changed = store.change(&named("1.0"), &request(Wish::RollBack)).await;
        assert!(
            matches!(changed, Err(ChangeError::Unaccounted { .. })),
            "{emptied}: {changed:?}"
        );
        let report = store.verify("").await.unwrap();
        assert_eq!(report.entries, entries, "{emptied}");
        assert!(report.broken.is_some(), "{emptied}");
    }
}

async fn versions_without_any_entry_are_not_sealed_by_the_next_one<S: AnyStore>(store: S) {
    lived_in(&store).await;
    execute(&store, "DELETE FROM audit_entries").await;
    execute(&store, "UPDATE scorecards_versions SET revision = 0").await;
    let opened = store.open(&first()).await.unwrap_err().to_string();
    assert!(opened.contains("audit verify"), "{opened}");
    assert!(store.active().await.unwrap().is_some());
    let broken = store.verify("").await.unwrap().broken.unwrap();
    assert!(broken.message.contains("is not in the log"), "{broken:?}");
}

async fn a_version_that_nobody_entered<S: AnyStore>(store: S) {
    let (sequence, message) = found(
        &store,
        "INSERT INTO scorecards_versions (version, hash, status, card, author, self_approved, blend, created_at)
         SELECT '6.6', '66', 'gated', card, author, 0, blend, created_at FROM scorecards_versions WHERE version = '1.0-a'",
    )
    .await;
    assert_eq!(
        (sequence, message.as_str()),
        (
            0,
            "version 6.6 is not in the log: it was entered behind its back"
        )
    );
}

/// Columns of SQLite take values of any kind.
#[tokio::test]
async fn a_value_of_another_kind() {
    let store = kycc_store::sqlite::Store::open("sqlite::memory:")
        .await
        .unwrap();
    let log = store
        .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
        .await;
    log.unwrap();
    store.migrate("scorecards", &MIGRATIONS).await.unwrap();
    let noon = "UPDATE audit_entries SET created_at = 'noon' WHERE sequence = 4";
    let (sequence, message) = found(&store, noon).await;
    assert!((1..=4).contains(&sequence), "{sequence} {message}");
}
