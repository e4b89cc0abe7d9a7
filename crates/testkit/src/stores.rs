//! One suite for both databases: what an aggregate promises, each promise a test of its own on SQLite and on Postgres.

use std::future::Future;

use kycc_store::{Migration, postgres, sqlite};

/// Makes tests `sqlite::<case>` and `postgres::<case>` of generic cases `async fn case<S: SomeStore>(store: S)`, each on a
/// database of its own with the tables of one service and those of the audit log. Use it once per module.
///
/// ```ignore
/// kycc_testkit::on_every_store!("labels", &MIGRATIONS, [numbers_have_no_gaps]);
/// async fn numbers_have_no_gaps<S: OutcomeStore>(store: S) { … }
/// ```
#[macro_export]
macro_rules! on_every_store {
    ($service:expr, $migrations:expr, [$($case:ident),+ $(,)?]) => {
        mod sqlite {
            #[allow(unused_imports, reason = "the migrations may be named by a path")]
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::stores::on_sqlite($service, $migrations, super::$case).await;
                }
            )+
        }
        mod postgres {
            #[allow(unused_imports, reason = "the migrations may be named by a path")]
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::stores::on_postgres($service, $migrations, super::$case).await;
                }
            )+
        }
    };
}

/// Runs one case on a private file.
pub async fn on_sqlite<F: Future<Output = ()>>(
    service: &str,
    migrations: &[Migration],
    case: impl FnOnce(sqlite::Store) -> F,
) {
    let store = sqlite::Store::open("sqlite::memory:").await;
    let store = store.expect("a private store opens");
    let log = store
        .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
        .await;
    log.expect("the tables of the audit log are made");
    let migrated = store.migrate(service, migrations).await;
    migrated.expect("its tables are made");
    case(store).await;
}

/// Runs one case on a database of its own.
pub async fn on_postgres<F: Future<Output = ()>>(
    service: &str,
    migrations: &[Migration],
    case: impl FnOnce(postgres::Store) -> F,
) {
    let database = crate::postgres::fresh().await;
    let store = database.open().await;
    let log = store
        .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
        .await;
    log.expect("the tables of the audit log are made");
    let migrated = store.migrate(service, migrations).await;
    migrated.expect("its tables are made");
    case(store).await;
}
