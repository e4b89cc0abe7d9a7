//! WatchRun: what is written of a run, then what is written from now on, until it has ended.

use std::collections::VecDeque;

use futures::Stream;
use kycc_domain::ids::RunId;
use kycc_proto::orchestrator::v1::{Progress, WatchRunResponse};
use kycc_rpc::ApiError;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;

use super::{Api, failures};
use crate::core::EventKind;
use crate::engine::Notice;
use crate::store::{StoredEvent, StoredRun};
use crate::wire;

const PAGE: u32 = 500;

struct Watcher {
    api: Api,
    run_id: RunId,
    notices: broadcast::Receiver<Notice>,
    after: u64,
    waiting: VecDeque<WatchRunResponse>,
    /// There may be more in the store than was read.
    behind: bool,
    /// The run as it ended, to be sent when all events have been.
    ended: Option<StoredRun>,
    finished: bool,
}

impl Api {
    pub(crate) async fn watch(
        &self,
        run_id: &str,
        after: u64,
    ) -> Result<impl Stream<Item = Result<WatchRunResponse, Status>> + Send + use<>, ApiError> {
        let id = failures::run_id(run_id)?;
        // First the ear, then the eyes: nothing is written unnoticed in between.
        let notices = self.engine.hub().subscribe(&id);
        let run = self.existing(run_id).await?;
        if !run.state.status.is_terminal() && !self.engine.tells() {
            // Deposed between this call's arrival and its ear: no word would ever come.
            let message =
                "the orchestrator does not lead any more; watch again from the last event";
            return Err(ApiError::unavailable("LEADER_CHANGED", message));
        }
        // Where nobody leads, nothing will come: what there is, is all.
        let over = run.state.status.is_terminal() || !self.engine.moves_runs();
        let watcher = Watcher {
            api: self.clone(),
            run_id: id,
            notices,
            after,
            waiting: VecDeque::new(),
            behind: true,
            ended: over.then_some(run),
            finished: false,
        };
        Ok(futures::stream::unfold(watcher, |mut watcher| async move {
            let answer = watcher.next().await?;
            watcher.finished |= answer.is_err();
            Some((answer.map_err(Status::from), watcher))
        }))
    }
}

impl Watcher {
    async fn next(&mut self) -> Option<Result<WatchRunResponse, ApiError>> {
        loop {
            if self.finished {
                return None;
            }
            if let Some(answer) = self.waiting.pop_front() {
                return Some(Ok(answer));
            }
            if self.behind {
                if let Err(error) = self.read().await {
                    return Some(Err(error));
                }
                continue;
            }
            if let Some(run) = &self.ended {
                self.finished = true;
                return Some(Ok(WatchRunResponse {
                    run: Some(wire::run_to_wire(run)),
                    ..WatchRunResponse::default()
                }));
            }
            match self.notices.recv().await {
                Ok(Notice::Events) | Err(RecvError::Lagged(_)) => self.behind = true,
                Ok(Notice::Progress { asset, done, total }) => {
                    let progress = Progress {
                        asset: asset.to_string(),
                        done,
                        total,
                    };
                    return Some(Ok(WatchRunResponse {
                        progress: Some(progress),
                        ..WatchRunResponse::default()
                    }));
                }
                Err(RecvError::Closed) => {
                    let stopping = "the orchestrator is stopping; watch again from the last event";
                    return Some(Err(ApiError::unavailable("STOPPING", stopping)));
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let found = self.api.store.events(&self.run_id, self.after, PAGE).await;
        let events = found.map_err(failures::store)?;
        self.behind = events.len() == PAGE as usize;
        if let Some(last) = events.last() {
            self.after = last.sequence;
        }
        if self.ended.is_none() && events.iter().any(ends) {
            self.ended = self
                .api
                .store
                .run(&self.run_id)
                .await
                .map_err(failures::store)?;
        }
        self.waiting
            .extend(events.iter().map(|event| WatchRunResponse {
                event: Some(wire::event_to_wire(event)),
                ..WatchRunResponse::default()
            }));
        Ok(())
    }
}

fn ends(event: &StoredEvent) -> bool {
    matches!(
        event.kind,
        EventKind::RunSuccess | EventKind::RunFailure | EventKind::RunCanceled
    )
}
