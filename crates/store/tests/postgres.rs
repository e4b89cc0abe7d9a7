//! What only a server can do to the store: other processes, lost connections, deadlocks, full waiting rooms.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

use std::time::Duration;

use kycc_store::postgres::{Store, StoreOptions, Tx};
use kycc_store::{Effect, Migration, Repeat, StoreError, retry_transient};
use kycc_testkit::postgres::{FreshDatabase, fresh};
use tokio::sync::Barrier;

const COUNTERS: Migration = Migration {
    version: 1,
    name: "counters",
    sql: "CREATE TABLE demo_counters (id BIGINT PRIMARY KEY, value BIGINT NOT NULL);
          INSERT INTO demo_counters VALUES (1, 0), (2, 0)",
};

async fn counters() -> (Store, FreshDatabase) {
    let database = fresh().await;
    let store = database.open().await;
    store.migrate("demo", &[COUNTERS]).await.unwrap();
    (store, database)
}

async fn raise(tx: &mut Tx, id: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE demo_counters SET value = value + 1 WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(StoreError::during("raise a counter"))
}

async fn sum(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT CAST(SUM(value) AS BIGINT) FROM demo_counters")
        .fetch_one(store.read())
        .await
        .unwrap()
}

#[tokio::test]
async fn processes_that_migrate_at_the_same_moment_wait_for_each_other() {
    let database = fresh().await;
    let mut processes = Vec::new();
    for _ in 0..8 {
        let store = database.open().await;
        processes.push(tokio::spawn(async move {
            let migrated = store.migrate("demo", &[COUNTERS]).await;
            store.close().await;
            migrated
        }));
    }
    let mut applied = 0;
    for process in processes {
        applied += i64::from(process.await.unwrap().unwrap().from == 0);
    }
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced_unnoticed() {
    let (store, database) = counters().await;
    assert_eq!(sum(&store).await, 0);
    database.disconnect_all().await;
    assert_eq!(sum(&store).await, 0);
    let mut tx = store.begin().await.unwrap();
    raise(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_within_a_transaction_is_certain_to_have_written_nothing() {
    let (store, database) = counters().await;
    let mut tx = store.begin().await.unwrap();
    raise(&mut tx, 1).await.unwrap();
    database.disconnect_all().await;
    let error = raise(&mut tx, 1).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_UNAVAILABLE");
    assert_eq!(error.effect(), Effect::NotApplied);
    drop(tx);
    assert_eq!(sum(&store).await, 0);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_has_an_unknown_effect() {
    let (store, database) = counters().await;
    let mut tx = store.begin().await.unwrap();
    raise(&mut tx, 1).await.unwrap();
    database.disconnect_all().await;
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.reason(), "STORE_COMMIT");
    assert_eq!(error.effect(), Effect::Unknown);
    assert!(error.is_transient());
}

/// Raises both counters, in the order given; waits in between for the other, the first time.
async fn cross(store: &Store, ids: [i64; 2], met: &Barrier) -> Result<(), StoreError> {
    let mut first = true;
    retry_transient(Repeat::NotApplied, || {
        let waits = std::mem::replace(&mut first, false);
        async move {
            let mut tx = store.begin().await?;
            raise(&mut tx, ids[0]).await?;
            if waits {
                met.wait().await;
            }
            raise(&mut tx, ids[1]).await?;
            tx.commit().await
        }
    })
    .await
}

#[tokio::test]
async fn who_gives_way_in_a_deadlock_tries_again() {
    let (store, _database) = counters().await;
    let met = Barrier::new(2);
    let (one, other) = tokio::join!(cross(&store, [1, 2], &met), cross(&store, [2, 1], &met));
    one.unwrap();
    other.unwrap();
    assert_eq!(sum(&store).await, 4);
}

#[tokio::test]
async fn waiting_for_a_lock_ends_and_says_so() {
    let (_, database) = counters().await;
    let options = StoreOptions {
        lock_timeout: Duration::from_millis(50),
        ..StoreOptions::default()
    };
    let store = Store::open_with(database.url(), options).await.unwrap();
    let _alone = store.begin_exclusive("demo").await.unwrap();
    let error = store.begin_exclusive("demo").await.unwrap_err();
    assert_eq!(error.reason(), "STORE_BUSY");
    store.begin_exclusive("another").await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let (_, database) = counters().await;
    let options = StoreOptions {
        statement_timeout: Duration::from_millis(50),
        ..StoreOptions::default()
    };
    let store = Store::open_with(database.url(), options).await.unwrap();
    let slept = sqlx::query("SELECT pg_sleep(60)")
        .execute(store.read())
        .await;
    let error = slept.map_err(StoreError::during("sleep")).unwrap_err();
    assert_eq!(error.reason(), "STORE_TIMEOUT");
}

#[tokio::test]
async fn sessions_carry_their_name_and_never_more_than_were_allowed() {
    let (store, database) = counters().await;
    let held = store.begin().await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..2 {
        readers.push(store.read().acquire().await.unwrap());
    }
    let others: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'kycc'",
    )
    .fetch_one(&mut *readers[0])
    .await
    .unwrap();
    assert!((3..=4).contains(&others), "{others}");
    drop((held, database));
}

#[tokio::test]
async fn no_password_is_in_what_a_store_or_its_errors_print() {
    let database = fresh().await;
    let url = database.url().replacen("kycc:kycc@", "kycc:hush-hush@", 1);
    assert!(url.contains("hush-hush"), "the server's URL has a password");
    let store = Store::open(&url).await.unwrap();
    assert!(!format!("{store:?}").contains("hush"));
    let nowhere = url.replacen("127.0.0.1", "no-such-host.invalid", 1);
    let error = Store::open(&nowhere).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("no-such-host") && !text.contains("hush"),
        "{text}"
    );
}
