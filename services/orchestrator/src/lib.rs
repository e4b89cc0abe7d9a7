//! The orchestrator: runs of jobs over batches. It validates and writes them, decides what happens next, hands tasks to
//! the lanes of the workers, and keeps the record.
//!
//! - `core`: the state machine, pure
//! - `definitions`: `pipeline.yaml`: assets, jobs, run queue, monitoring
//! - `run_config`: a run's config, checked before the run is accepted
//! - `store`: the truth about runs
//! - `engine`: the leader around the core: store, queue, timers
//! - `handlers`: the gRPC service

mod core;
mod definitions;
mod engine;
mod handlers;
mod module;
mod run_config;
mod store;
#[cfg(test)]
mod testing;
mod wire;

/// `pipeline.yaml` as it is built in: what runs without `-f`, and what people copy to begin with.
pub const DEFAULT_PIPELINE: &str = definitions::DEFAULT;

/// The service, for the module table.
pub fn module() -> Box<dyn kycc_runtime::Module> {
    Box::new(module::Orchestrator)
}
