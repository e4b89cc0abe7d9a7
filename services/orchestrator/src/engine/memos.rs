//! Looks up whether versions were made before. Questions that come while one is asked are asked together: of a turn that
//! makes a hundred steps ready the store hears once.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::store::{RunStore, RunStoreError, StoredMaterialization, VersionOf};

type Answer = Result<Option<StoredMaterialization>, Arc<RunStoreError>>;

#[derive(Debug)]
pub(super) struct Ask {
    wanted: VersionOf,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug, Clone)]
pub(super) struct Memos {
    asks: mpsc::Sender<Ask>,
}

const WAITING: usize = 1_024;

impl Memos {
    pub(super) fn new() -> (Self, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(WAITING);
        (Self { asks }, asked)
    }

    /// The newest with this key.
    pub(super) async fn find(&self, wanted: VersionOf) -> Answer {
        let (answer, found) = oneshot::channel();
        if self.asks.send(Ask { wanted, answer }).await.is_ok()
            && let Ok(found) = found.await
        {
            return found;
        }
        // The term is over, and whoever asks goes with it.
        std::future::pending().await
    }
}

pub(super) async fn answer(store: Arc<dyn RunStore>, mut asked: mpsc::Receiver<Ask>) {
    let mut asks = Vec::new();
    while asked.recv_many(&mut asks, WAITING).await > 0 {
        let wanted: Vec<VersionOf> = asks.iter().map(|ask: &Ask| ask.wanted.clone()).collect();
        let answers: Vec<Answer> = match store.find_materializations(&wanted).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(Arc::new(error)); asks.len()],
        };
        for (ask, answer) in asks.drain(..).zip(answers) {
            let _ = ask.answer.send(answer);
        }
    }
}
