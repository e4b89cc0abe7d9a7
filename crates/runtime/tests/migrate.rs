//! Tables are brought up to date before a service is built, or refused; on both databases.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use async_trait::async_trait;
use kycc_runtime::{
    BuildError, ConnectionUrl, Fleet, FleetConfig, Module, ModuleContext, Service, StartError,
    Tables,
};
use kycc_store::{Migration, with_driver};

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "notes",
        sql: "CREATE TABLE keeper_notes (id TEXT PRIMARY KEY)",
    },
    Migration {
        version: 2,
        name: "times",
        sql: "ALTER TABLE keeper_notes ADD COLUMN created_at BIGINT",
    },
];

/// Knows as many migrations as its release did, and needs its table to be built.
struct Keeper {
    known: usize,
}

#[async_trait]
impl Module for Keeper {
    fn name(&self) -> &'static str {
        "keeper"
    }

    fn lane(&self) -> Option<&'static str> {
        None
    }

    fn migrations(&self) -> &'static [Migration] {
        &MIGRATIONS[..self.known]
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        let counted: Result<i64, _> = with_driver!(&cx.store, |store| {
            sqlx::query_scalar("SELECT COUNT(*) FROM keeper_notes")
                .fetch_one(store.read())
                .await
        });
        counted.map_err(|error| BuildError::new("no table").with_source(error))?;
        Ok(Service::builder().build())
    }
}

fn knowing(known: usize) -> Vec<Box<dyn Module>> {
    vec![Box::new(Keeper { known })]
}

async fn start(config: &FleetConfig, known: usize) -> Result<(), StartError> {
    let fleet = Fleet::start(config.clone(), knowing(known)).await?;
    fleet.shutdown().await;
    Ok(())
}

fn refused(started: Result<(), StartError>) -> String {
    match started.unwrap_err() {
        StartError::Store(error) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn check(config: &FleetConfig, known: usize) -> Vec<&'static str> {
    let refusals = kycc_runtime::check(config, &knowing(known)).await.unwrap();
    refusals
        .iter()
        .map(kycc_store::StoreError::reason)
        .collect()
}

/// From nothing to release 1, to release 2, and back.
async fn releases(config: FleetConfig) {
    let strict = FleetConfig {
        migrate: false,
        ..config.clone()
    };
    // Of the fleet, of its audit log, and of the module.
    assert_eq!(check(&config, 1).await, ["STORE_OLDER"; 3]);
    assert!(refused(start(&strict, 1).await).contains("run `kycc migrate`"));
    start(&config, 1).await.unwrap();
    start(&strict, 1).await.unwrap();

    assert!(refused(start(&strict, 2).await).contains("run `kycc migrate`"));
    let done = kycc_runtime::migrate(&config, &knowing(2)).await.unwrap();
    let tables = |service, from, to| Tables { service, from, to };
    let expected = [
        tables("fleet", 1, 1),
        tables("audit", 1, 1),
        tables("keeper", 1, 2),
    ];
    assert_eq!(done, expected);
    start(&strict, 2).await.unwrap();
    assert!(check(&config, 2).await.is_empty());

    for config in [&config, &strict] {
        assert!(refused(start(config, 1).await).contains("start the newer kycc"));
    }
    assert_eq!(check(&config, 1).await, ["STORE_NEWER"]);
}

#[tokio::test]
async fn older_and_newer_tables_in_sqlite_are_refused_and_say_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    releases(FleetConfig::embedded(folder.path())).await;
}

#[tokio::test]
async fn older_and_newer_tables_in_postgres_are_refused_and_say_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let database = kycc_testkit::postgres::fresh().await;
    let queue = kycc_testkit::redis::Namespace::new();
    let config = FleetConfig {
        store_url: ConnectionUrl::new(database.url()),
        queue_url: ConnectionUrl::new(queue.url()),
        ..FleetConfig::embedded(folder.path())
    };
    releases(config).await;
}
