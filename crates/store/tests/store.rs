//! The store as services use it, on a private SQLite file.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

use kycc_store::{Migration, Store, StoreError};
use sqlx::Row;

const V1: Migration = Migration {
    version: 1,
    name: "notes",
    sql: "CREATE TABLE demo_notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);
          CREATE INDEX demo_notes_body ON demo_notes (body);",
};
const V2: Migration = Migration {
    version: 2,
    name: "times",
    sql: "ALTER TABLE demo_notes ADD COLUMN created_at BIGINT",
};

async fn store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    store.migrate("demo", &[V1]).await.unwrap();
    store
}

async fn insert(store: &Store, id: &str) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("INSERT INTO demo_notes (id, body) VALUES ($1, $2)")
        .bind(id)
        .bind("text")
        .execute(&mut *tx)
        .await
        .map_err(StoreError::during("insert a note"))?;
    tx.commit().await
}

async fn count(store: &Store) -> i64 {
    sqlx::query("SELECT COUNT(*) FROM demo_notes")
        .fetch_one(store.read())
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn what_was_committed_is_read_and_what_was_dropped_is_not() {
    let store = store().await;
    insert(&store, "a").await.unwrap();
    {
        let mut tx = store.begin().await.unwrap();
        sqlx::query("DELETE FROM demo_notes")
            .execute(&mut *tx)
            .await
            .unwrap();
        assert_eq!(count(&store).await, 1, "readers see the last commit");
    }
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn concurrent_writers_queue_instead_of_failing() {
    let store = store().await;
    let writes = (0..50).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { insert(&store, &n.to_string()).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(count(&store).await, 50);
}

#[tokio::test]
async fn a_second_row_of_the_same_key_is_told_apart_by_reason() {
    let store = store().await;
    insert(&store, "a").await.unwrap();
    let error = insert(&store, "a").await.unwrap_err();
    assert!(error.is_unique_violation());
    assert_eq!(error.reason(), "STORE_DUPLICATE");
    assert_eq!(error.effect(), kycc_store::Effect::NotApplied);
    assert_eq!(
        error.to_string(),
        "cannot insert a note in the state store",
        "the cause is the source, not part of the text"
    );
}

#[tokio::test]
async fn writing_through_the_readers_is_refused() {
    let store = store().await;
    let written = sqlx::query("DELETE FROM demo_notes")
        .execute(store.read())
        .await;
    assert!(written.is_err());
}

#[tokio::test]
async fn migrations_apply_once_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/deep/state.db", folder.path().display());
    let store = Store::open(&url).await.unwrap();
    store.migrate("demo", &[V1]).await.unwrap();
    insert(&store, "a").await.unwrap();
    store.close().await;

    let store = Store::open(&url).await.unwrap();
    store.migrate("demo", &[V1, V2]).await.unwrap();
    store.migrate("demo", &[V1, V2]).await.unwrap();
    let row = sqlx::query("SELECT created_at FROM demo_notes WHERE id = 'a'")
        .fetch_one(store.read())
        .await
        .unwrap();
    assert_eq!(row.get::<Option<i64>, _>(0), None);
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused() {
    let store = store().await;
    store.migrate("demo", &[V1, V2]).await.unwrap();
    let error = store.migrate("demo", &[V1]).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_NEWER");
    assert!(error.to_string().contains("version 2, this kycc knows 1"));
}

#[tokio::test]
async fn an_edited_migration_is_refused_but_a_reformatted_one_is_not() {
    let store = store().await;
    let reformatted = Migration {
        sql: "CREATE TABLE demo_notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);\n CREATE INDEX demo_notes_body ON demo_notes (body);",
        ..V1
    };
    store.migrate("demo", &[reformatted]).await.unwrap();
    let edited = Migration {
        sql: "CREATE TABLE demo_notes (id TEXT)",
        ..V1
    };
    let error = store.migrate("demo", &[edited]).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_CHANGED");
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_of_its_service() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let broken = Migration {
        version: 2,
        name: "broken",
        sql: "CREATE TABLE demo_more (id TEXT); INSERT INTO nowhere VALUES (1)",
    };
    let error = store.migrate("demo", &[V1, broken]).await.unwrap_err();
    assert_eq!(error.reason(), "STORE_MIGRATION");
    store
        .migrate("demo", &[V1])
        .await
        .expect("nothing of the failed attempt is left");
}

#[tokio::test]
async fn an_unknown_url_says_what_is_expected() {
    let error = Store::open("mysql://x").await.unwrap_err();
    assert!(error.to_string().contains("expected sqlite://"), "{error}");
}
