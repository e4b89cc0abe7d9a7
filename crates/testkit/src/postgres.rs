//! Databases of a test's own, on the PostgreSQL server that the tests were given.

use std::thread;

use kycc_store::postgres::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;
use uuid::Uuid;

const VARIABLE: &str = "TEST_POSTGRES_URL";

/// An empty database. Dropping it removes it, whoever is still connected.
#[derive(Debug)]
pub struct FreshDatabase {
    server: String,
    name: String,
    url: String,
}

/// Makes one.
///
/// # Panics
/// Without a server: the test that needs it has failed, and says how to start one.
pub async fn fresh() -> FreshDatabase {
    let server = std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{VARIABLE} is not set: run `make test`, or `scripts/servers.sh start DIR` and take the variables of DIR/env"
        )
    });
    let name = format!("test_{}", Uuid::now_v7().simple());
    let mut url = Url::parse(&server).expect("the variable holds a URL");
    url.set_path(&name);
    // Tests run beside each other: each takes few of the server's connections.
    url.query_pairs_mut().append_pair("max_connections", "4");
    execute(&server, format!("CREATE DATABASE {name}"))
        .await
        .unwrap_or_else(|error| panic!("the server of {VARIABLE} makes no database: {error}"));
    FreshDatabase {
        server,
        name,
        url: url.into(),
    }
}

impl FreshDatabase {
    /// For `Store::open`, or a fleet's `store_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A store on it, with no tables. Several are as several processes.
    pub async fn open(&self) -> Store {
        let store = Store::open(&self.url).await;
        store.expect("a database that was just made opens")
    }

    /// Ends every connection to it, as a server that restarts does.
    pub async fn disconnect_all(&self) {
        let name = &self.name;
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        execute(&self.server, sql)
            .await
            .expect("the owner of a database ends its connections");
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread of its own, for the test's runtime may be ending. What is left behind after an error goes with the server.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map(|runtime| {
                let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                runtime.block_on(execute(&server, sql))
            })
        });
        if !matches!(dropping.join(), Ok(Ok(Ok(())))) {
            eprintln!("the database {} was not removed", self.name);
        }
    }
}

async fn execute(server: &str, sql: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await
}
