//! WatchMaterializations: the log of publications of one asset, then what is added to it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use futures::Stream;
use kycc_domain::ids::AssetKey;
use kycc_proto::orchestrator::v1::{WatchMaterializationsRequest, WatchMaterializationsResponse};
use kycc_rpc::ApiError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{Api, failures};
use crate::store::Publication;
use crate::wire;

const PAGE: u32 = 100;
/// What other processes write is seen after that long at most; and a caller hears of this stream as often.
const LOOK: Duration = Duration::from_secs(1);

struct Watcher {
    api: Api,
    asset: AssetKey,
    with_metadata: bool,
    written: watch::Receiver<u64>,
    stopping: CancellationToken,
    after: u64,
    /// Everything up to here has been read, or is being.
    up_to: u64,
    waiting: VecDeque<WatchMaterializationsResponse>,
    /// There may be more up to `up_to` than was read.
    behind: bool,
    /// `up_to` is known.
    looked: bool,
    /// The caller knows how far it is.
    told: bool,
    failed: bool,
}

impl Api {
    pub(super) fn watch_published(
        &self,
        request: WatchMaterializationsRequest,
    ) -> Result<
        impl Stream<Item = Result<WatchMaterializationsResponse, Status>> + Send + use<>,
        ApiError,
    > {
        let watcher = Watcher {
            asset: failures::asset_key("asset", &request.asset)?,
            with_metadata: !request.omit_metadata,
            written: self.engine.hub().publications(),
            stopping: self.engine.hub().stopping(),
            api: self.clone(),
            after: request.after_position,
            up_to: 0,
            waiting: VecDeque::new(),
            behind: false,
            looked: false,
            told: false,
            failed: false,
        };
        Ok(futures::stream::unfold(watcher, |mut watcher| async move {
            if watcher.failed {
                return None;
            }
            let answer = watcher.next().await;
            watcher.failed = answer.is_err();
            Some((answer.map_err(Status::from), watcher))
        }))
    }
}

impl Watcher {
    async fn next(&mut self) -> Result<WatchMaterializationsResponse, ApiError> {
        loop {
            if let Some(answer) = self.waiting.pop_front() {
                return Ok(answer);
            }
            if self.behind {
                self.read().await?;
                continue;
            }
            if self.looked && !self.told {
                self.told = true;
                return Ok(WatchMaterializationsResponse {
                    position: self.up_to,
                    up_to_date: true,
                    ..WatchMaterializationsResponse::default()
                });
            }
            if self.looked {
                tokio::select! {
                    () = self.stopping.cancelled() => return Err(stopping()),
                    // Either way there may be something new.
                    _ = tokio::time::timeout(LOOK, self.written.changed()) => {}
                }
            }
            self.look().await?;
        }
    }

    /// How far the log has come.
    async fn look(&mut self) -> Result<(), ApiError> {
        // Noticed before it is read: what is written in between is noticed again.
        self.written.mark_unchanged();
        let newest = self.api.store.newest_position().await;
        self.up_to = newest.map_err(failures::store)?;
        self.behind = self.up_to > self.after;
        (self.looked, self.told) = (true, false);
        Ok(())
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let store = &self.api.store;
        let found = store
            .publications(
                &self.asset,
                self.after,
                self.up_to,
                self.with_metadata,
                PAGE,
            )
            .await
            .map_err(failures::store)?;
        self.behind = found.len() == PAGE as usize;
        self.after = match found.last() {
            Some(last) if self.behind => last.position,
            _ => self.up_to,
        };
        self.waiting.extend(found.iter().map(answer));
        Ok(())
    }
}

fn answer(publication: &Publication) -> WatchMaterializationsResponse {
    WatchMaterializationsResponse {
        materialization: Some(wire::materialization_to_wire(&publication.made)),
        position: publication.position,
        up_to_date: false,
    }
}

fn stopping() -> ApiError {
    let message = "the orchestrator is stopping; watch again from the last position";
    ApiError::unavailable("STOPPING", message)
}
