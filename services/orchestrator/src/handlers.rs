//! The gRPC service: decode, ask store, definitions or engine, encode.

mod dead_letters;
pub(crate) mod deeds;
mod failures;
mod feed;
mod forward;
mod lanes;
mod launch;
mod lineage;
mod plan;
mod publications;
mod reads;
mod retry;
mod run_queue;
mod service;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use kycc_queue::TaskQueue;
use kycc_rpc::ChannelOptions;
use kycc_runtime::Clock;
use tonic::transport::Channel;

use crate::definitions::Catalogue;
use crate::engine::EngineHandle;
use crate::store::RunStore;

/// What the methods work with. Clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) engine: EngineHandle,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Arc<dyn TaskQueue>,
    /// The last leader that calls were passed on to, and the way to it.
    pub(crate) leader: Arc<Mutex<Option<(String, Channel)>>>,
    /// How the leader is reached.
    pub(crate) peer_options: ChannelOptions,
}
