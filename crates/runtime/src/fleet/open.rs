//! Opens what services share; the scheme of each URL chooses the part.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kycc_lake::{Lake, LakeError};
use kycc_queue::{InProcessQueue, QueueError, RedisOptions, RedisQueue, TaskQueue};
use kycc_rpc::{Bound, ChannelOptions, Door};
use kycc_store::{Store, StoreError};
use tokio::time::Instant;

use super::StartError;
use crate::{Changes, Clock, ConnectionUrl, FleetConfig, ModuleContext, ModuleTable, Spawner};

pub(super) async fn shared_parts(
    config: FleetConfig,
    table: ModuleTable,
    front_door: &Bound,
    clock: Arc<dyn Clock>,
    spawner: Spawner,
) -> Result<ModuleContext, StartError> {
    let url = config.store_url.expose();
    let opened = patiently(&config, StoreError::is_transient, || Store::open(url));
    let store = opened.await?;
    let lake = Lake::open(config.lake_url.expose())?.with_threads(config.threads);
    patiently(&config, LakeError::retryable, || lake.ping()).await?;
    let queue = queue(&config.queue_url)?;
    let answered = patiently(&config, QueueError::is_transient, || queue.ping());
    answered
        .await
        .map_err(|source| StartError::QueueSilent { source })?;
    let address = config
        .advertise
        .clone()
        .unwrap_or_else(|| front_door.addr().to_string());
    let channel = front_door.channel(Door::Services);
    let peer_options = peer_options(&config);
    Ok(ModuleContext {
        config: Arc::new(config),
        table: Arc::new(table),
        store,
        lake,
        queue,
        address,
        channel,
        peer_options,
        clock,
        spawner,
        changes: Changes::default(),
    })
}

/// How other processes of the fleet are reached.
pub(super) fn peer_options(config: &FleetConfig) -> ChannelOptions {
    ChannelOptions {
        tls: config.security.peer_tls.clone(),
        ..ChannelOptions::default()
    }
}

const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Tries again while a server that other processes share does not answer yet, as long as the config's patience lasts. What
/// is this process's own answers at once or never.
async fn patiently<T, E, F>(
    config: &FleetConfig,
    may_pass: impl Fn(&E) -> bool,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: std::error::Error + 'static,
    F: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + config.start_patience();
    let mut told = false;
    loop {
        let error = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !config.is_shared_store() || !may_pass(&error) || Instant::now() >= end {
            return Err(error);
        }
        if !told {
            tracing::warn!(error = %kycc_telemetry::chain(&error), "waiting for it before anything starts");
            told = true;
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
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
