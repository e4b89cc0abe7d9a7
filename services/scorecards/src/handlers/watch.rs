//! The active version, and every state of it that follows.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use kycc_proto::scorecards::v1::WatchActiveVersionResponse;
use kycc_rpc::ApiError;
use kycc_runtime::store_error;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::answers;
use crate::store::VersionStore;

/// Between two looks: cards change a few times a month, and another process may change them.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

pub(crate) type Watch =
    Pin<Box<dyn Stream<Item = Result<WatchActiveVersionResponse, Status>> + Send>>;

/// States after the one with this etag. Nothing is looked at until the reader asks, so a slow one costs nothing and sees the
/// newest.
pub(super) fn active(
    store: Arc<dyn VersionStore>,
    etag: String,
    stopping: CancellationToken,
) -> Watch {
    Box::pin(futures::stream::unfold(
        Some((store, etag, stopping)),
        |watched| async {
            let (store, seen, stopping) = watched?;
            match next(store.as_ref(), &seen, &stopping).await {
                Ok(answer) => {
                    let etag = answer.version.as_ref().map(|version| version.etag.clone());
                    Some((
                        Ok(answer),
                        Some((store, etag.unwrap_or_default(), stopping)),
                    ))
                }
                // The reader goes on from the last etag when the store answers again.
                Err(status) => Some((Err(status), None)),
            }
        },
    ))
}

async fn next(
    store: &dyn VersionStore,
    seen: &str,
    stopping: &CancellationToken,
) -> Result<WatchActiveVersionResponse, Status> {
    loop {
        let active = store.active().await.map_err(|error| store_error(&error))?;
        if let Some(active) = active.filter(|active| active.etag() != seen) {
            return Ok(WatchActiveVersionResponse {
                version: Some(answers::version(&active)?),
            });
        }
        tokio::select! {
            () = tokio::time::sleep(BETWEEN_LOOKS) => {}
            () = stopping.cancelled() => {
                let message = "the service is stopping; watch again with the last etag";
                return Err(ApiError::unavailable("STOPPING", message).into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;
    use crate::core::life::Wish;
    use crate::fixtures::{approved, named, request, store};

    #[tokio::test]
    async fn a_watch_ends_when_the_fleet_stops() {
        let store = Arc::new(store().await) as Arc<dyn VersionStore>;
        let stopping = CancellationToken::new();
        let mut watch = active(store, String::new(), stopping.clone());
        watch.next().await.unwrap().unwrap();
        stopping.cancel();
        let ended = watch.next().await.unwrap().unwrap_err();
        assert_eq!(kycc_rpc::ClientError::from(ended).reason(), "STOPPING");
        assert!(watch.next().await.is_none());
    }

    #[tokio::test]
    async fn a_watch_tells_what_is_active_then_what_takes_its_place_and_resumes_by_etag() {
        let store = Arc::new(store().await);
        let stopping = CancellationToken::new();
        let watched = Arc::clone(&store) as Arc<dyn VersionStore>;
        let mut watch = active(watched, String::new(), stopping.clone());
        let first = watch.next().await.unwrap().unwrap().version.unwrap();
        assert_eq!(first.version, "1.0");
        for (name, factor) in [("1.0-a", 2.0), ("1.0-b", 3.0)] {
            approved(store.as_ref(), name, factor).await;
            let activated = store.change(&named(name), &request(Wish::Activate)).await;
            activated.unwrap();
        }
        // Who did not read meanwhile sees the last.
        let last = watch.next().await.unwrap().unwrap().version.unwrap();
        assert_eq!(last.version, "1.0-b");
        let resume = |etag: &str| {
            active(
                Arc::clone(&store) as Arc<dyn VersionStore>,
                etag.to_owned(),
                stopping.clone(),
            )
        };
        let behind = resume(&first.etag).next().await.unwrap().unwrap();
        assert_eq!(behind.version.unwrap().version, "1.0-b");
        let mut level = resume(&last.etag);
        let told = tokio::select! {
            told = level.next() => Some(told),
            // The store has answered by then: it is asked the same on the same connections.
            () = async { for _ in 0..20 { store.active().await.unwrap(); } } => None,
        };
        assert!(told.is_none() && level.next().now_or_never().is_none());
    }
}
