//! The tables of the services of one process: brought up to date, or only looked at.

use kycc_store::{Store, StoreError};

use crate::{FleetConfig, FolderLock, Module, StartError, page_key};

/// What became of the tables of one service; versions count from 0, no tables at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tables {
    pub service: &'static str,
    pub from: i64,
    pub to: i64,
}

/// Brings the tables of `modules` up to date, each service in a transaction of its own, and says from which version to
/// which. Services without tables are left out.
///
/// A state store in the data folder is refused while a fleet holds that: the fleet could not go on with newer tables.
pub async fn migrate(
    config: &FleetConfig,
    modules: &[Box<dyn Module>],
) -> Result<Vec<Tables>, StartError> {
    let (store, _lock) = open(config).await?;
    let mut done = Vec::new();
    for (service, migrations) in with_tables(modules) {
        let migrated = store.migrate(service, migrations).await?;
        done.push(Tables {
            service,
            from: migrated.from,
            to: migrated.to,
        });
    }
    store.close().await;
    Ok(done)
}

/// What stands in the way of starting `modules`: for each service whose tables are not those that it knows, why. Changes
/// no tables.
pub async fn check(
    config: &FleetConfig,
    modules: &[Box<dyn Module>],
) -> Result<Vec<StoreError>, StartError> {
    let (store, _lock) = open(config).await?;
    let mut refusals = Vec::new();
    for (service, migrations) in with_tables(modules) {
        match store.verify_tables(service, migrations).await {
            Ok(()) => {}
            Err(
                refusal @ (StoreError::Older { .. }
                | StoreError::Newer { .. }
                | StoreError::Changed { .. }),
            ) => refusals.push(refusal),
            Err(error) => return Err(error.into()),
        }
    }
    store.close().await;
    Ok(refusals)
}

/// At the start of a fleet, as its config says.
pub(crate) async fn prepare(
    config: &FleetConfig,
    store: &Store,
    modules: &[Box<dyn Module>],
) -> Result<(), StoreError> {
    for (service, migrations) in with_tables(modules) {
        if config.migrate {
            store.migrate(service, migrations).await?;
        } else {
            store.verify_tables(service, migrations).await?;
        }
    }
    Ok(())
}

/// The fleet's own first: what a service writes to its tables is told in the audit log.
fn with_tables(
    modules: &[Box<dyn Module>],
) -> impl Iterator<Item = (&'static str, &'static [kycc_store::Migration])> {
    let of_modules = modules
        .iter()
        .map(|module| (module.name(), module.migrations()));
    [
        (page_key::TABLES, page_key::MIGRATIONS),
        (kycc_audit::TABLES, kycc_audit::MIGRATIONS),
    ]
    .into_iter()
    .chain(of_modules)
    .filter(|(_, migrations)| !migrations.is_empty())
}

async fn open(config: &FleetConfig) -> Result<(Store, Option<FolderLock>), StartError> {
    let lock = match config.is_shared_store() {
        true => None,
        false => Some(FolderLock::acquire(&config.data_dir)?),
    };
    Ok((Store::open(config.store_url.expose()).await?, lock))
}
