//! Eight who change versions at the same moment, on connections of one process and in processes of their own.

use tokio::task::JoinSet;

use super::*;
use crate::core::audit::Action;

kycc_testkit::on_every_store!(
    "scorecards",
    &MIGRATIONS,
    [
        eight_who_open_an_empty_store_enter_the_first_version_once,
        the_chain_of_eight_who_enter_and_approve_stays_whole,
        of_eight_who_decide_two_ways_on_the_same_etag_one_way_wins_and_one_entry_is_made,
        a_request_that_comes_eight_times_is_carried_out_once,
        verification_sees_one_state_while_others_write,
    ]
);

const EIGHT: usize = 8;

/// Calls it eight times at once, each with its number.
async fn at_once<S: AnyStore, T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    store: &S,
    call: impl Fn(S, usize) -> F,
) -> Vec<T> {
    let mut calls = JoinSet::new();
    for number in 0..EIGHT {
        calls.spawn(call(store.clone(), number));
    }
    calls.join_all().await
}

async fn eight_who_open_an_empty_store_enter_the_first_version_once<S: AnyStore>(store: S) {
    let all = at_once(&store, |store, _| async move { store.open(&first()).await }).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(store.entries("", 0, 9).await.unwrap().len(), 1);
}

async fn the_chain_of_eight_who_enter_and_approve_stays_whole<S: AnyStore>(store: S) {
    opened(&store).await;
    at_once(&store, |store, number| async move {
        for round in 0..4 {
            let name = format!("2.0-{number}-{round}");
            approved(&store, &name, (2 + 10 * number + round) as f64).await;
        }
    })
    .await;
    let report = store.verify("").await.unwrap();
    assert_eq!((report.entries, report.broken), (1 + 2 * 32, None));
}

async fn of_eight_who_decide_two_ways_on_the_same_etag_one_way_wins_and_one_entry_is_made<
    S: AnyStore,
>(
    store: S,
) {
    opened(&store).await;
    store.enter(&version("2.0", 2.0, 2), None).await.unwrap();
    let etag = store.get("2.0").await.unwrap().unwrap().etag();
    let outcomes = at_once(&store, |store, number| {
        let decided = Request {
            etag: etag.clone(),
            principal: format!("p-{number}"),
            ..if number % 2 == 0 {
                approve()
            } else {
                request(Wish::Reject)
            }
        };
        async move { store.change(&named("2.0"), &decided).await }
    })
    .await;
    // Who wants what the first one did finds it done; the others decided on something that is no more.
    let refused: Vec<_> = outcomes.into_iter().filter(Result::is_err).collect();
    assert_eq!(refused.len(), EIGHT / 2);
    for outcome in refused {
        let Err(ChangeError::Refused(refusal)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(refusal.reason(), "ETAG_MISMATCH");
    }
    assert_eq!(store.entries("2.0", 0, 9).await.unwrap().len(), 2);
    assert_eq!(store.verify("").await.unwrap().broken, None);
}

async fn a_request_that_comes_eight_times_is_carried_out_once<S: AnyStore>(store: S) {
    opened(&store).await;
    store.enter(&version("2.0", 2.0, 2), None).await.unwrap();
    let outcomes = at_once(&store, |store, _| async move {
        let same = Request {
            request_id: "q-1".into(),
            ..approve()
        };
        store.change(&named("2.0"), &same).await
    })
    .await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let entries = store.entries("2.0", 0, 9).await.unwrap();
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, [Action::Enter.as_str(), Action::Approve.as_str()]);
}

async fn verification_sees_one_state_while_others_write<S: AnyStore>(store: S) {
    opened(&store).await;
    let mut writers = JoinSet::new();
    for number in 0..4usize {
        let store = store.clone();
        writers.spawn(async move {
            for round in 0..5 {
                let name = format!("2.0-{number}-{round}");
                approved(&store, &name, (2 + 10 * number + round) as f64).await;
            }
        });
    }
    while !writers.is_empty() {
        assert_eq!(store.verify("").await.unwrap().broken, None);
        if let Some(done) = writers.try_join_next() {
            done.unwrap();
        }
    }
}

#[tokio::test]
async fn of_eight_processes_that_start_at_once_on_an_empty_database_all_come_up() {
    let database = kycc_testkit::postgres::fresh().await;
    let mut processes = JoinSet::new();
    for _ in 0..EIGHT {
        let store = database.open().await;
        processes.spawn(async move {
            let log = store
                .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
                .await;
            log.unwrap();
            store.migrate("scorecards", &MIGRATIONS).await.unwrap();
            let opened = store.open(&first()).await;
            store.close().await;
            opened
        });
    }
    let all = processes.join_all().await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    let store = database.open().await;
    assert_eq!(store.verify("").await.unwrap().entries, 1);
}
