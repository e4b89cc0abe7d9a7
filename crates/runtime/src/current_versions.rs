//! Which version of an asset is the current one of which batch, held in memory: kept up by the orchestrator's feed, and
//! asked for one by one where the feed cannot be relied on.
//!
//! What is promised: once a process has told that a run succeeded, calls answered by the same process see what the run made.
//! Across processes they see it as soon as the feed brings it, usually within milliseconds; a feed that has been silent for
//! [`SILENCE`] is not relied on, so no answer is older than that. A batch that the feed has not told of is always asked for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_proto::orchestrator::v1::{
    GetMaterializationRequest, Materialization, WatchMaterializationsRequest,
    WatchMaterializationsResponse,
};
use kycc_rpc::ClientError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;

use crate::Changed;

/// The feed says something every second; after this long without a word it is taken for broken.
pub const SILENCE: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One publication: a version that became the current one of its batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// In the orchestrator's log; grows.
    pub position: u64,
    /// Without its metadata.
    pub made: Materialization,
}

/// The current versions of one asset. Clones share everything.
#[derive(Debug, Clone)]
pub struct CurrentVersions {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    asset: &'static str,
    channel: Channel,
    /// How far this process has written the log.
    written: Changed,
    live: AtomicBool,
    known: RwLock<Known>,
    /// The position up to which `known` is complete, for those who wait for more.
    heard: watch::Sender<u64>,
    stopped: CancellationToken,
}

#[derive(Debug, Default)]
struct Known {
    position: u64,
    log: Vec<Arc<Publication>>,
    current: HashMap<String, Arc<Publication>>,
    /// The one whose materialization is the youngest, as the orchestrator has it too.
    newest: Option<Arc<Publication>>,
}

impl CurrentVersions {
    /// Knows nothing, and asks for everything, until [`follow`](Self::follow) runs.
    #[must_use]
    pub fn new(asset: &'static str, channel: Channel, written: Changed) -> Self {
        Self {
            shared: Arc::new(Shared {
                asset,
                channel,
                written,
                live: AtomicBool::new(false),
                known: RwLock::default(),
                heard: watch::Sender::new(0),
                stopped: CancellationToken::new(),
            }),
        }
    }

    /// What is current for `batch`; what was made last of all batches, where it is empty. NOT_FOUND where there is nothing.
    pub async fn of(&self, batch: &str) -> Result<Arc<Publication>, Status> {
        if let Some(known) = self.known(batch) {
            return Ok(known);
        }
        let request = GetMaterializationRequest {
            asset: self.shared.asset.to_owned(),
            batch_id: batch.to_owned(),
        };
        let mut client = OrchestratorServiceClient::new(self.shared.channel.clone());
        let answer = client
            .get_materialization(kycc_rpc::traced(request))
            .await?;
        let made = answer.into_inner().materialization.unwrap_or_default();
        Ok(Arc::new(Publication { position: 0, made }))
    }

    /// What is current for `batch`, if it can be told without asking.
    #[must_use]
    pub fn known(&self, batch: &str) -> Option<Arc<Publication>> {
        self.settled(|known| match batch {
            "" => known.newest.clone(),
            batch => known.current.get(batch).cloned(),
        })?
    }

    /// What is current for every batch, the last made first, if it can be told without asking.
    #[must_use]
    pub fn all(&self) -> Option<Vec<Arc<Publication>>> {
        let mut all: Vec<_> = self.settled(|known| known.current.values().cloned().collect())?;
        all.sort_unstable_by(|a, b| b.made.materialization_id.cmp(&a.made.materialization_id));
        Some(all)
    }

    /// The position of the last publication of all assets, if it can be told without asking.
    #[must_use]
    pub fn position(&self) -> Option<u64> {
        self.settled(|known| known.position)
    }

    /// Reads what is known, if that is all that there is.
    fn settled<T>(&self, read: impl FnOnce(&Known) -> T) -> Option<T> {
        if !self.shared.live.load(Ordering::Acquire) {
            return None;
        }
        let written = self.shared.written.settled()?;
        let known = self.shared.known.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        (known.position >= written).then(|| read(&known))
    }

    /// The first publication after a position, with the one before it in the log and the one that it replaced, if any.
    #[must_use]
    pub fn after(&self, position: u64) -> Option<Logged> {
        let known = self.shared.known.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let at = known.log.partition_point(|one| one.position <= position);
        let publication = Arc::clone(known.log.get(at)?);
        let earlier = &known.log[..at];
        let same_batch = |one: &&Arc<Publication>| one.made.batch_id == publication.made.batch_id;
        Some(Logged {
            before: earlier.last().cloned(),
            replaced: earlier.iter().rev().find(same_batch).cloned(),
            publication,
        })
    }

    /// Changes when more is known.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<u64> {
        self.shared.heard.subscribe()
    }

    /// Told when this process stops: then nothing more will be heard.
    #[must_use]
    pub fn stopped(&self) -> CancellationToken {
        self.shared.stopped.clone()
    }

    /// Follows the feed until told to stop; for a service's background work.
    pub async fn follow(self, stop: CancellationToken) -> Result<(), Infallible> {
        self.listen_until(stop).await;
        self.shared.live.store(false, Ordering::Release);
        self.shared.stopped.cancel();
        Ok(())
    }

    async fn listen_until(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = *self.shared.heard.borrow();
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.listen() => ended,
            };
            self.shared.live.store(false, Ordering::Release);
            let asset = self.shared.asset;
            match ended {
                Ok(()) => tracing::debug!(asset, "the feed of current versions ended"),
                Err(status) => {
                    tracing::debug!(asset, error = %ClientError::from(status), "the feed of current versions is broken; asking one by one meanwhile");
                }
            }
            // A feed that had worked is tried again at once.
            let worked = *self.shared.heard.borrow() != before;
            pause = if worked {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn listen(&self) -> Result<(), Status> {
        let request = WatchMaterializationsRequest {
            asset: self.shared.asset.to_owned(),
            after_position: *self.shared.heard.borrow(),
            omit_metadata: true,
        };
        let mut client = OrchestratorServiceClient::new(self.shared.channel.clone());
        let answer = client
            .watch_materializations(kycc_rpc::traced(request))
            .await?;
        let mut feed = answer.into_inner();
        loop {
            let said = tokio::time::timeout(SILENCE, feed.message()).await;
            let said = said.map_err(|_| Status::unavailable("the feed has fallen silent"))?;
            let Some(said) = said? else {
                return Ok(());
            };
            if !self.take(said) {
                return Ok(());
            }
        }
    }

    /// False where the log is another one than before, and has to be read from its beginning.
    fn take(&self, said: WatchMaterializationsResponse) -> bool {
        let known = self.shared.known.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let up_to_date = said.up_to_date;
        let same_log = known.take(said);
        if !same_log {
            *known = Known::default();
        }
        if up_to_date || !same_log {
            self.shared.live.store(same_log, Ordering::Release);
        }
        self.shared.heard.send_replace(known.position);
        same_log
    }
}

impl Known {
    fn take(&mut self, said: WatchMaterializationsResponse) -> bool {
        if said.position < self.position {
            return false;
        }
        self.position = said.position;
        if let Some(made) = said.materialization {
            let position = said.position;
            self.add(Arc::new(Publication { position, made }));
        }
        true
    }

    fn add(&mut self, publication: Arc<Publication>) {
        self.log.push(Arc::clone(&publication));
        let batch = publication.made.batch_id.clone();
        self.current.insert(batch, Arc::clone(&publication));
        let age = |one: &Arc<Publication>| one.made.materialization_id.clone();
        match &self.newest {
            Some(newest) if age(newest) > age(&publication) => {
                // Unless it is the one that was replaced.
                if newest.made.batch_id == publication.made.batch_id {
                    self.newest = self.current.values().max_by_key(|one| age(one)).cloned();
                }
            }
            _ => self.newest = Some(publication),
        }
    }
}

/// One publication and what it stands beside.
#[derive(Debug, Clone)]
pub struct Logged {
    pub publication: Arc<Publication>,
    /// The one before it in the log, of whatever batch.
    pub before: Option<Arc<Publication>>,
    /// The last one before it of the same batch.
    pub replaced: Option<Arc<Publication>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_rpc::ChannelOptions;

    fn said(position: u64, batch: &str, id: &str) -> WatchMaterializationsResponse {
        WatchMaterializationsResponse {
            position,
            up_to_date: false,
            materialization: Some(Materialization {
                batch_id: batch.to_owned(),
                materialization_id: id.to_owned(),
                ..Materialization::default()
            }),
        }
    }

    fn up_to(position: u64) -> WatchMaterializationsResponse {
        WatchMaterializationsResponse {
            position,
            up_to_date: true,
            materialization: None,
        }
    }

    fn versions(written: &Changed) -> CurrentVersions {
        let nowhere = kycc_rpc::connect_lazy("127.0.0.1:1", &ChannelOptions::default()).unwrap();
        CurrentVersions::new("score_batch", nowhere, written.clone())
    }

    fn id(found: Option<Arc<Publication>>) -> Option<String> {
        found.map(|found| found.made.materialization_id.clone())
    }

    #[tokio::test]
    async fn nothing_is_told_before_the_feed_is_up_to_date_nor_behind_what_was_written_here() {
        let written = Changed::default();
        let current = versions(&written);
        assert!(current.take(said(4, "B1", "m1")));
        assert_eq!(current.known("B1"), None, "there may be more");
        assert!(current.take(up_to(5)));
        assert_eq!(id(current.known("B1")).as_deref(), Some("m1"));
        assert_eq!(current.known("B2"), None);

        let under_way = written.under_way();
        assert_eq!(
            current.known("B1"),
            None,
            "its version may be about to change"
        );
        written.raise_to(6);
        drop(under_way);
        assert_eq!(current.known("B1"), None, "it has changed");
        current.take(said(6, "B1", "m2"));
        assert_eq!(id(current.known("B1")).as_deref(), Some("m2"));
    }

    #[tokio::test]
    async fn the_newest_is_the_one_made_last_also_when_an_earlier_one_is_current_again() {
        let current = versions(&Changed::default());
        for message in [
            said(1, "B1", "m1"),
            said(2, "B2", "m2"),
            said(3, "B1", "m1"),
            up_to(3),
        ] {
            assert!(current.take(message));
        }
        assert_eq!(id(current.known("")).as_deref(), Some("m2"));
        let all = current.all().unwrap();
        let ids: Vec<_> = all
            .iter()
            .map(|one| one.made.materialization_id.as_str())
            .collect();
        assert_eq!(ids, ["m2", "m1"]);
    }

    #[tokio::test]
    async fn the_log_is_read_on_from_any_position_with_what_each_stands_beside() {
        let current = versions(&Changed::default());
        for message in [
            said(2, "B1", "m1"),
            said(5, "B2", "m2"),
            said(9, "B1", "m3"),
        ] {
            current.take(message);
        }
        let position = |one: Option<Arc<Publication>>| one.map(|one| one.position);
        let beside = |after| {
            let found = current.after(after)?;
            Some((
                found.publication.position,
                position(found.before),
                position(found.replaced),
            ))
        };
        assert_eq!(beside(0), Some((2, None, None)));
        assert_eq!(beside(2), Some((5, Some(2), None)));
        assert_eq!(beside(7), Some((9, Some(5), Some(2))));
        assert_eq!(beside(9), None);
    }

    #[tokio::test]
    async fn a_log_that_begins_anew_is_forgotten_and_read_again() {
        let current = versions(&Changed::default());
        current.take(said(9, "B1", "m1"));
        current.take(up_to(9));
        assert!(!current.take(up_to(3)));
        assert_eq!(current.known("B1"), None);
        assert_eq!(
            current.after(0).map(|found| found.publication.position),
            None
        );
        assert_eq!(*current.heard().borrow(), 0, "from its beginning");
    }
}
