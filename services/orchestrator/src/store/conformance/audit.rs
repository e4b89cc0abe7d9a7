//! What the audit log says of runs: one entry for each that was written, in its transaction.

use kycc_audit::{AuditStore, Entry, Filter, Head, Order, Span};

use super::{deed, new_run, nothing};
use crate::core::RunStatus;
use crate::store::{Created, Epoch, Move, RunStore, RunStoreError, SERVICE};

kycc_testkit::on_every_store!(
    "orchestrator",
    crate::store::MIGRATIONS,
    [
        a_launched_run_has_one_entry_however_often_it_is_asked_for,
        a_launch_that_is_refused_leaves_no_entry,
        a_change_that_fails_leaves_no_entry_and_one_that_stands_has_its_own,
        retention_removes_runs_and_no_entry,
    ]
);

trait AnyStore: RunStore + AuditStore {}
impl<S: RunStore + AuditStore> AnyStore for S {}

async fn seat(store: &impl AnyStore) -> Epoch {
    let row = store.leader().await.unwrap();
    store.campaign(&row, "test", "").await.unwrap().unwrap()
}

/// What was done to what; the chain is whole.
async fn log(store: &impl AnyStore) -> Vec<String> {
    let span = Span {
        service: SERVICE,
        from: Head::genesis(),
        known: "",
        found: false,
        limit: u64::MAX,
    };
    assert_eq!(store.verify_audit_span(&span).await.unwrap().broken, None);
    let filter = Filter::default();
    let all = store.audit_entries(&filter, Order::OldestFirst, None, 100);
    let said = |entry: &Entry| format!("{} {} {}", entry.sequence, entry.action, entry.subject);
    let mut all = all.await.unwrap();
    all.sort_by_key(|entry| entry.sequence);
    all.iter().map(said).collect()
}

async fn a_launched_run_has_one_entry_however_often_it_is_asked_for<S: AnyStore>(store: S) {
    let epoch = seat(&store).await;
    let both = [new_run("r1", "q1"), new_run("r2", "q1"), new_run("r3", "")];
    let created = store.create(epoch, &both).await.unwrap();
    let before = Created::Before("r1".parse().unwrap());
    assert_eq!(created, [Created::New, before.clone(), Created::New]);
    let again = store.create(epoch, &[new_run("r4", "q1")]).await.unwrap();
    assert_eq!(again, [before]);
    assert_eq!(log(&store).await, ["1 launch run/r1", "2 launch run/r3"]);
}

async fn a_launch_that_is_refused_leaves_no_entry<S: AnyStore>(store: S) {
    let epoch = seat(&store).await;
    store.create(epoch, &[new_run("r1", "")]).await.unwrap();
    // Its id is taken: the statement fails after the entry was written.
    let twice = [new_run("r2", ""), new_run("r1", "")];
    store.create(epoch, &twice).await.unwrap_err();
    let deposed = store.create(Epoch(epoch.0 - 1), &[new_run("r3", "")]).await;
    assert!(matches!(deposed, Err(RunStoreError::Deposed { .. })));
    let recorded = store
        .record(Epoch(epoch.0 - 1), &deed("reload", "d", ""))
        .await;
    assert!(matches!(recorded, Err(RunStoreError::Deposed { .. })));
    assert_eq!(log(&store).await, ["1 launch run/r1"]);
}

async fn a_change_that_fails_leaves_no_entry_and_one_that_stands_has_its_own<S: AnyStore>(
    store: S,
) {
    let epoch = seat(&store).await;
    store.create(epoch, &[new_run("r1", "")]).await.unwrap();
    let before = store
        .run(&"r1".parse().unwrap())
        .await
        .unwrap()
        .unwrap()
        .state;
    let mut after = before.clone();
    after.status = RunStatus::Canceled;
    let mut change = nothing("r1");
    change.moved = Some(Move { before, after });
    change.audit.push(deed("cancel", "r1", "q-c"));
    store
        .apply(epoch, std::slice::from_ref(&change))
        .await
        .unwrap();
    // The state that it starts from is gone.
    let again = store.apply(epoch, &[change]).await;
    assert!(matches!(again, Err(RunStoreError::Stale { .. })));
    store.record(epoch, &deed("reload", "d", "")).await.unwrap();
    assert_eq!(
        log(&store).await,
        ["1 launch run/r1", "2 cancel run/r1", "3 reload run/d"]
    );
}

async fn retention_removes_runs_and_no_entry<S: AnyStore>(store: S) {
    let epoch = seat(&store).await;
    store.create(epoch, &[new_run("r1", "")]).await.unwrap();
    let before = store
        .run(&"r1".parse().unwrap())
        .await
        .unwrap()
        .unwrap()
        .state;
    let mut after = before.clone();
    after.status = RunStatus::Canceled;
    let mut change = nothing("r1");
    change.moved = Some(Move { before, after });
    store.apply(epoch, &[change]).await.unwrap();
    while store
        .prune_events(i64::MAX, None, 100)
        .await
        .unwrap()
        .is_some_and(|(_, rows)| rows > 0)
    {}
    assert_eq!(store.prune_runs(i64::MAX, 10).await.unwrap(), 1);
    assert_eq!(log(&store).await, ["1 launch run/r1"]);
}
