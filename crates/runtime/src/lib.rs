//! Assembly of a process: config, modules, one server, workers, start and stop.
//!
//! A service hands over a [`Module`]; the runtime builds it, puts its gRPC services on the one port, gives its
//! [`TaskHandler`]s tasks of its lane, and starts its background work.

mod changes;
mod clock;
pub mod config;
pub mod crash;
mod current_versions;
mod fleet;
mod folder_lock;
mod handler;
mod lake_answer;
mod metadata;
mod migrate;
mod module;
mod module_table;
mod page_key;
mod source_service;
mod spawner;
mod store_answer;
mod task;
mod worker;

pub use changes::{Changed, Changes, UnderWay};
pub use clock::{Clock, SystemClock};
pub use config::{
    ConfigError, ConfigLayer, ConnectionUrl, ConsoleAddr, FleetConfig, SecurityConfig,
    SecurityLayer,
};
pub use current_versions::{CurrentVersions, Logged, Publication, SILENCE};
pub use fleet::{Fleet, RunningFleet, StartError};
pub use folder_lock::{FleetInfo, FolderLock, LockError};
pub use handler::{Output, SourceObserver, TaskHandler};
pub use kycc_store::StoreError;
pub use lake_answer::lake_error;
pub use migrate::{Tables, check, migrate};
pub use module::{BuildError, Module, ModuleContext, Service, ServiceBuilder};
pub use module_table::ModuleTable;
pub use spawner::{BoxError, OnFailure, Spawner};
pub use store_answer::store_error;
pub use task::{StepLog, TaskContext, TaskError, TaskParts, TaskWriter};
pub use worker::{Worker, WorkerOptions};
