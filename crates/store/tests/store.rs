//! The store as services use it, on both databases.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

use kycc_store::{Migrated, Migration, StoreError};
use kycc_testkit::postgres::FreshDatabase;

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
const BROKEN: Migration = Migration {
    version: 2,
    name: "broken",
    sql: "CREATE TABLE demo_more (id TEXT); INSERT INTO nowhere VALUES (1)",
};

/// A database that no other test uses.
trait Private: Sized {
    /// What it lives in goes when this is dropped.
    type Home;
    async fn private() -> (Self, Self::Home);
}

impl Private for kycc_store::sqlite::Store {
    type Home = ();
    async fn private() -> (Self, ()) {
        (Self::open("sqlite::memory:").await.unwrap(), ())
    }
}

impl Private for kycc_store::postgres::Store {
    type Home = FreshDatabase;
    async fn private() -> (Self, FreshDatabase) {
        let database = kycc_testkit::postgres::fresh().await;
        (database.open().await, database)
    }
}

kycc_store::for_each_driver! {
    use driver::Store;
    use sqlx::Row as _;

    async fn with_notes() -> (Store, <Store as Private>::Home) {
        let (store, home) = Store::private().await;
        store.migrate("demo", &[V1]).await.unwrap();
        (store, home)
    }

    async fn insert(store: &Store, id: &str) -> Result<(), StoreError> {
        let mut tx = store.begin().await?;
        write(&mut tx, id).await?;
        tx.commit().await
    }

    async fn write(connection: &mut driver::Connection, id: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO demo_notes (id, body) VALUES ($1, $2)")
            .bind(id)
            .bind("text")
            .execute(connection)
            .await
            .map(|_| ())
            .map_err(StoreError::during("insert a note"))
    }

    async fn count(store: &Store) -> i64 {
        count_in(&mut store.read().acquire().await.unwrap()).await.unwrap()
    }

    async fn count_in(connection: &mut driver::Connection) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT COUNT(*) FROM demo_notes")
            .fetch_one(connection)
            .await
            .map_err(StoreError::during("count notes"))
    }

    #[tokio::test]
    async fn what_was_committed_is_read_and_what_was_dropped_is_not() {
        let (store, _home) = with_notes().await;
        insert(&store, "a").await.unwrap();
        {
            let mut tx = store.begin().await.unwrap();
            sqlx::query("DELETE FROM demo_notes").execute(&mut *tx).await.unwrap();
            assert_eq!(count(&store).await, 1, "readers see the last commit");
        }
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn concurrent_writers_wait_instead_of_failing() {
        let (store, _home) = with_notes().await;
        let writes = (0..50).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { insert(&store, &n.to_string()).await })
        });
        for write in writes.collect::<Vec<_>>() {
            write.await.unwrap().unwrap();
        }
        assert_eq!(count(&store).await, 50);
    }

    /// Reads how many there are and numbers the next by that, over and over.
    async fn number(store: Store) -> Result<(), StoreError> {
        for _ in 0..10 {
            let mut tx = store.begin_exclusive("demo").await?;
            let next = count_in(&mut tx).await? + 1;
            write(&mut tx, &next.to_string()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn eight_that_number_rows_alone_of_their_aggregate_leave_no_gap() {
        let (store, _home) = with_notes().await;
        let writers: Vec<_> = (0..8).map(|_| tokio::spawn(number(store.clone()))).collect();
        for writer in writers {
            writer.await.unwrap().unwrap();
        }
        assert_eq!(count(&store).await, 80);
    }

    #[tokio::test]
    async fn a_snapshot_does_not_see_what_is_written_after_its_first_look() {
        let (store, _home) = with_notes().await;
        let mut snapshot = store.snapshot().await.unwrap();
        assert_eq!(count_in(&mut snapshot).await.unwrap(), 0);
        insert(&store, "a").await.unwrap();
        assert_eq!(count_in(&mut snapshot).await.unwrap(), 0);
        drop(snapshot);
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn a_second_row_of_the_same_key_is_told_apart_by_reason() {
        let (store, _home) = with_notes().await;
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
        let (store, _home) = with_notes().await;
        let written = sqlx::query("DELETE FROM demo_notes").execute(store.read()).await;
        assert!(written.is_err());
        let mut snapshot = store.snapshot().await.unwrap();
        assert!(write(&mut snapshot, "a").await.is_err());
    }

    #[tokio::test]
    async fn migrations_apply_once_and_say_from_where_to_where() {
        let (store, _home) = with_notes().await;
        insert(&store, "a").await.unwrap();
        let migrated = store.migrate("demo", &[V1, V2]).await.unwrap();
        assert_eq!(migrated, Migrated { from: 1, to: 2 });
        let migrated = store.migrate("demo", &[V1, V2]).await.unwrap();
        assert_eq!(migrated, Migrated { from: 2, to: 2 });
        let row = sqlx::query("SELECT created_at FROM demo_notes WHERE id = 'a'")
            .fetch_one(store.read())
            .await
            .unwrap();
        assert_eq!(row.get::<Option<i64>, _>(0), None);
    }

    #[tokio::test]
    async fn tables_of_a_newer_program_are_refused() {
        let (store, _home) = with_notes().await;
        store.migrate("demo", &[V1, V2]).await.unwrap();
        for refused in [store.migrate("demo", &[V1]).await.map(|_| ()), store.verify_tables("demo", &[V1]).await] {
            let error = refused.unwrap_err();
            assert_eq!(error.reason(), "STORE_NEWER");
            let text = error.to_string();
            assert!(text.contains("version 2, this kycc knows 1: start the newer kycc"), "{text}");
        }
    }

    #[tokio::test]
    async fn verifying_accepts_the_same_tables_and_says_what_to_run_for_older_ones() {
        let (store, _home) = Store::private().await;
        let empty = store.verify_tables("demo", &[V1]).await.unwrap_err();
        assert_eq!(empty.reason(), "STORE_OLDER");
        store.migrate("demo", &[V1]).await.unwrap();
        store.verify_tables("demo", &[V1]).await.unwrap();
        let older = store.verify_tables("demo", &[V1, V2]).await.unwrap_err();
        assert_eq!(
            older.to_string(),
            "the state store's tables of demo are of version 1, this kycc needs 2: run `kycc migrate`"
        );
    }

    #[tokio::test]
    async fn an_edited_migration_is_refused_but_a_reformatted_one_is_not() {
        let (store, _home) = with_notes().await;
        let reformatted = Migration {
            sql: "CREATE TABLE demo_notes (id TEXT PRIMARY KEY, body TEXT NOT NULL);\n CREATE INDEX demo_notes_body ON demo_notes (body);",
            ..V1
        };
        store.migrate("demo", &[reformatted]).await.unwrap();
        let edited = Migration { sql: "CREATE TABLE demo_notes (id TEXT)", ..V1 };
        let error = store.migrate("demo", &[edited]).await.unwrap_err();
        assert_eq!(error.reason(), "STORE_CHANGED");
    }

    #[tokio::test]
    async fn a_failing_migration_leaves_nothing_of_its_service() {
        let (store, _home) = Store::private().await;
        let error = store.migrate("demo", &[V1, BROKEN]).await.unwrap_err();
        assert_eq!(error.reason(), "STORE_MIGRATION");
        let migrated = store.migrate("demo", &[V1]).await.unwrap();
        assert_eq!(migrated, Migrated { from: 0, to: 1 }, "nothing of the failed attempt is left");
    }
}

#[tokio::test]
async fn a_file_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/deep/state.db", folder.path().display());
    let store = kycc_store::Store::open(&url).await.unwrap();
    store.migrate("demo", &[V1]).await.unwrap();
    store.close().await;
    let store = kycc_store::Store::open(&url).await.unwrap();
    store.verify_tables("demo", &[V1]).await.unwrap();
}

#[tokio::test]
async fn an_unknown_url_says_what_is_expected() {
    let error = kycc_store::Store::open("mysql://x").await.unwrap_err();
    assert!(error.to_string().contains("expected sqlite://"), "{error}");
}
