//! WatchEvents: the events of all runs, in the order in which they were written.

use std::collections::VecDeque;

use futures::Stream;
use kycc_proto::orchestrator::v1::{WatchEventsRequest, WatchEventsResponse};
use kycc_rpc::{ApiError, page_token, read_page_token};
use tokio::sync::watch;
use tonic::Status;

use super::{Api, failures};
use crate::core::EventKind;
use crate::store::{FeedEvent, FeedFilter};
use crate::wire;

const PAGE: u32 = 500;
const KINDS: usize = 50;

struct Follower {
    api: Api,
    grown: watch::Receiver<()>,
    filter: FeedFilter,
    /// Position of the last event that was read or left out.
    after: i64,
    /// The same, as far as the caller knows.
    told: i64,
    waiting: VecDeque<FeedEvent>,
    /// There may be more in the store than was read.
    behind: bool,
    finished: bool,
}

impl Api {
    pub(super) async fn follow(
        &self,
        request: WatchEventsRequest,
    ) -> Result<impl Stream<Item = Result<WatchEventsResponse, Status>> + Send + use<>, ApiError>
    {
        let filter = filter(&request)?;
        // First the ear, then the eyes: nothing is written unnoticed in between.
        let grown = self.engine.hub().of_all_runs();
        if !self.engine.tells() {
            return Err(ApiError::unavailable(
                "LEADER_CHANGED",
                "the orchestrator does not lead any more; watch again from the last cursor",
            ));
        }
        let after = match read_page_token(&request.cursor)? {
            Some(cursor) => cursor
                .parse()
                .map_err(|_| ApiError::invalid("cursor", "is not one of this feed"))?,
            None if request.from_beginning => 0,
            None => self.store.last_position().await.map_err(failures::store)?,
        };
        let follower = Follower {
            api: self.clone(),
            grown,
            filter,
            after,
            // So that the first answer says where the stream stands, whether there is an event or not.
            told: -1,
            waiting: VecDeque::new(),
            behind: true,
            finished: false,
        };
        Ok(futures::stream::unfold(
            follower,
            |mut follower| async move {
                let answer = follower.next().await?;
                follower.finished |= answer.is_err();
                Some((answer.map_err(Status::from), follower))
            },
        ))
    }
}

fn filter(request: &WatchEventsRequest) -> Result<FeedFilter, ApiError> {
    if request.kinds.len() > KINDS {
        return Err(ApiError::invalid("kinds", format!("are more than {KINDS}")));
    }
    let kind = |(at, name): (usize, &String)| {
        EventKind::parse(name).ok_or_else(|| {
            let problem = format!("{name:?} is no type of event, such as RUN_SUCCESS");
            ApiError::invalid(format!("kinds[{at}]"), problem)
        })
    };
    let batch = failures::batch_filter(&request.batch_id)?;
    Ok(FeedFilter {
        up_to: 0,
        job: request.job.clone(),
        batch: batch.map(|batch| batch.to_string()).unwrap_or_default(),
        asset: request.asset.clone(),
        kinds: request
            .kinds
            .iter()
            .enumerate()
            .map(kind)
            .collect::<Result<_, _>>()?,
    })
}

impl Follower {
    async fn next(&mut self) -> Option<Result<WatchEventsResponse, ApiError>> {
        loop {
            if self.finished {
                return None;
            }
            if let Some(found) = self.waiting.pop_front() {
                self.told = found.position;
                return Some(Ok(answer(&found)));
            }
            if self.behind {
                if let Err(error) = self.read().await {
                    return Some(Err(error));
                }
                continue;
            }
            if self.told < self.after {
                self.told = self.after;
                return Some(Ok(WatchEventsResponse {
                    cursor: page_token(&self.after.to_string()),
                    ..WatchEventsResponse::default()
                }));
            }
            if self.grown.changed().await.is_err() {
                let stopping = "the orchestrator is stopping; watch again from the last cursor";
                return Some(Err(ApiError::unavailable("STOPPING", stopping)));
            }
            self.behind = true;
        }
    }

    async fn read(&mut self) -> Result<(), ApiError> {
        let store = &self.api.store;
        // Everything up to here is written: what comes later stands behind it.
        self.filter.up_to = store.last_position().await.map_err(failures::store)?;
        let found = store.feed(&self.filter, self.after, PAGE).await;
        let found = found.map_err(failures::store)?;
        self.behind = found.len() == PAGE as usize;
        self.after = match found.last() {
            Some(last) if self.behind => last.position,
            _ => self.filter.up_to.max(self.after),
        };
        self.waiting.extend(found);
        Ok(())
    }
}

fn answer(found: &FeedEvent) -> WatchEventsResponse {
    WatchEventsResponse {
        cursor: page_token(&found.position.to_string()),
        event: Some(wire::event_to_wire(&found.event)),
        run_id: found.run_id.to_string(),
        job: found.job.clone(),
        batch_id: found.batch.to_string(),
    }
}
