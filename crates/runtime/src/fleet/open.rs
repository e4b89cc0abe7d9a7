//! Opens what services share; the scheme of each URL chooses the part.

use std::net::SocketAddr;
use std::sync::Arc;

use kycc_lake::Lake;
use kycc_queue::{InProcessQueue, RedisOptions, RedisQueue, TaskQueue};
use kycc_rpc::ChannelOptions;
use kycc_store::Store;

use super::StartError;
use crate::{Clock, ConnectionUrl, FleetConfig, ModuleContext, ModuleTable, Spawner};

pub(super) async fn shared_parts(
    config: FleetConfig,
    table: ModuleTable,
    front_door: SocketAddr,
    clock: Arc<dyn Clock>,
    spawner: Spawner,
) -> Result<ModuleContext, StartError> {
    let store = Store::open(config.store_url.expose()).await?;
    let lake = Lake::open(config.lake_url.expose())?.with_threads(config.threads);
    let queue = queue(&config.queue_url)?;
    let address = config
        .advertise
        .clone()
        .unwrap_or_else(|| front_door.to_string());
    let channel = kycc_rpc::connect_lazy(&front_door.to_string(), &ChannelOptions::default())?;
    Ok(ModuleContext {
        config: Arc::new(config),
        table: Arc::new(table),
        store,
        lake,
        queue,
        address,
        channel,
        clock,
        spawner,
    })
}

fn queue(url: &ConnectionUrl) -> Result<Arc<dyn TaskQueue>, StartError> {
    let text = url.expose();
    if text == "memory:" {
        return Ok(Arc::new(InProcessQueue::default()));
    }
    match RedisQueue::open(text, RedisOptions::default()) {
        Ok(queue) => Ok(Arc::new(queue)),
        Err(source) => Err(StartError::Queue {
            url: url.to_string(),
            source,
        }),
    }
}
