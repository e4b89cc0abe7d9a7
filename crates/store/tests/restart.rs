//! A server that goes away under a writer and comes back: the writer goes on, and what it was told is kept is kept.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use kycc_store::postgres::Store;
use kycc_store::{Migration, Repeat, StoreError, retry_transient};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
const NOTES: Migration = Migration {
    version: 1,
    name: "notes",
    sql: "CREATE TABLE demo_notes (id BIGINT PRIMARY KEY)",
};

/// Servers of the test's own, stopped at its end.
struct Servers {
    folder: tempfile::TempDir,
}

impl Servers {
    fn start() -> Self {
        let servers = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        servers.run("start", &["without-s3"]);
        servers
    }

    /// `servers.sh VERB FOLDER MORE`.
    fn run(&self, verb: &str, more: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers.sh");
        let mut command = Command::new(script);
        let status = command
            .arg(verb)
            .arg(self.folder.path())
            .args(more)
            .status();
        assert!(
            status.as_ref().is_ok_and(std::process::ExitStatus::success),
            "scripts/servers.sh {verb} failed ({status:?}); run `make test`, which installs what it needs"
        );
    }

    fn postgres(&self) -> String {
        let env = std::fs::read_to_string(self.folder.path().join("env")).unwrap();
        let url = env
            .lines()
            .find_map(|line| line.strip_prefix("TEST_POSTGRES_URL="));
        url.unwrap().to_owned()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.run("stop", &[]);
    }
}

async fn insert(store: &Store, id: i64) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    sqlx::query("INSERT INTO demo_notes (id) VALUES ($1) ON CONFLICT (id) DO NOTHING")
        .bind(id)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::during("insert a note"))?;
    tx.commit().await
}

/// Writes one number after another, each until it is acknowledged, and tells which were.
async fn write(store: Store, acknowledged: mpsc::UnboundedSender<i64>) {
    for id in 0.. {
        while let Err(error) = retry_transient(Repeat::ByKey, || insert(&store, id)).await {
            assert!(error.is_transient(), "{error:?}");
        }
        if acknowledged.send(id).is_err() {
            return;
        }
    }
}

async fn through(acknowledged: &mut mpsc::UnboundedReceiver<i64>, id: i64) -> i64 {
    let last = timeout(PATIENCE, async {
        loop {
            let told = acknowledged.recv().await.unwrap();
            if told >= id {
                return told;
            }
        }
    });
    last.await.expect("the writer goes on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_outlives_restarts_of_its_server_and_nothing_acknowledged_is_lost() {
    let servers = Arc::new(Servers::start());
    let store = Store::open(&servers.postgres()).await.unwrap();
    store.migrate("demo", &[NOTES]).await.unwrap();
    let (tell, mut told) = mpsc::unbounded_channel();
    let writer = tokio::spawn(write(store.clone(), tell));

    let mut last = through(&mut told, 20).await;
    for (end, more) in [("stop", &[][..]), ("kill", &["postgres"])] {
        let servers = Arc::clone(&servers);
        let restarted = tokio::task::spawn_blocking(move || {
            servers.run(end, more);
            servers.run("start", &["without-s3"]);
        });
        restarted.await.unwrap();
        while let Ok(before) = told.try_recv() {
            last = before;
        }
        last = through(&mut told, last + 20).await;
    }
    drop(told);
    writer.await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM demo_notes WHERE id <= $1")
        .bind(last)
        .fetch_one(store.read())
        .await
        .unwrap();
    assert_eq!(kept, last + 1);
    store.close().await;
}
