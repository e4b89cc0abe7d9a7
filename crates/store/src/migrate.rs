//! Schema changes, per service, each applied once and never edited afterwards.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::StoreError;

/// One change of a service's tables. Versions count from 1 without gaps; a published one is never edited.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub version: i64,
    pub name: &'static str,
    /// One or several statements, in the subset that both databases know.
    pub sql: &'static str,
}

/// From which version to which the tables of a service went; equal where there was nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    pub from: i64,
    pub to: i64,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS store_migrations (
    service TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (service, version)
)";

crate::for_each_driver! {
    use sqlx::Row as _;

    impl driver::Store {
        /// As [`Store::migrate`](crate::Store::migrate).
        pub async fn migrate(&self, service: &str, migrations: &[Migration]) -> Result<Migrated, StoreError> {
            let mut tx = self.begin_migration().await?;
            sqlx::query(TABLE)
                .execute(&mut *tx)
                .await
                .map_err(StoreError::during("prepare the table of migrations"))?;
            let applied = applied(&mut tx, service).await?;
            check(service, migrations, &applied)?;
            for migration in migrations.iter().skip(applied.len()) {
                apply(&mut tx, service, migration).await?;
            }
            tx.commit().await?;
            Ok(Migrated { from: version_of(&applied), to: known(migrations) })
        }

        /// As [`Store::verify_tables`](crate::Store::verify_tables).
        pub async fn verify_tables(&self, service: &str, migrations: &[Migration]) -> Result<(), StoreError> {
            let mut tx = self.snapshot().await?;
            let operation = "look for the table of migrations";
            let tables: i64 = sqlx::query_scalar(driver::COUNT_TABLES)
                .bind("store_migrations")
                .fetch_one(&mut *tx)
                .await
                .map_err(StoreError::during(operation))?;
            let applied = if tables == 0 { Vec::new() } else { applied(&mut tx, service).await? };
            check(service, migrations, &applied)?;
            if applied.len() < migrations.len() {
                return Err(StoreError::Older {
                    service: service.to_owned(),
                    found: version_of(&applied),
                    known: known(migrations),
                });
            }
            Ok(())
        }
    }

    /// (version, checksum) in order.
    async fn applied(connection: &mut driver::Connection, service: &str) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query("SELECT version, checksum FROM store_migrations WHERE service = $1 ORDER BY version")
            .bind(service)
            .fetch_all(connection)
            .await
            .map_err(StoreError::during("read which migrations were applied"))?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, sqlx::Error>>()
            .map_err(StoreError::during("read which migrations were applied"))
    }

    async fn apply(
        connection: &mut driver::Connection,
        service: &str,
        migration: &Migration,
    ) -> Result<(), StoreError> {
        let failed = |source| StoreError::Migration {
            service: service.to_owned(),
            version: migration.version,
            name: migration.name.to_owned(),
            source,
        };
        sqlx::raw_sql(migration.sql).execute(&mut *connection).await.map_err(failed)?;
        sqlx::query(
            "INSERT INTO store_migrations (service, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(service)
        .bind(migration.version)
        .bind(migration.name)
        .bind(checksum(migration))
        .bind(now_micros())
        .execute(connection)
        .await
        .map_err(failed)?;
        tracing::info!(service, version = migration.version, name = migration.name, "migrated the state store");
        Ok(())
    }
}

fn version_of(applied: &[(i64, String)]) -> i64 {
    applied.last().map_or(0, |(version, _)| *version)
}

fn known(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.version)
}

fn check(
    service: &str,
    migrations: &[Migration],
    applied: &[(i64, String)],
) -> Result<(), StoreError> {
    debug_assert!(
        migrations.iter().zip(1..).all(|(m, n)| m.version == n),
        "migrations of {service} must count from 1 without gaps"
    );
    if applied.len() > migrations.len() {
        return Err(StoreError::Newer {
            service: service.to_owned(),
            found: version_of(applied),
            known: known(migrations),
        });
    }
    for (migration, (version, found)) in migrations.iter().zip(applied) {
        if *version != migration.version || *found != checksum(migration) {
            return Err(StoreError::Changed {
                service: service.to_owned(),
                version: migration.version,
                name: migration.name.to_owned(),
            });
        }
    }
    Ok(())
}

/// Of the statement's words: reformatting a migration does not count as changing it.
fn checksum(migration: &Migration) -> String {
    let words: Vec<&str> = migration.sql.split_whitespace().collect();
    let hash = blake3::hash(words.join(" ").as_bytes()).to_hex();
    hash[..32].to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a note for people that nothing decides by; the clock is built on top of the store"
)]
fn now_micros() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}
