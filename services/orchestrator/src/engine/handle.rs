//! How others reach the leader.

use std::sync::Arc;
use std::time::Duration;

use kycc_domain::ids::{AssetKey, RunId, TaskId};
use kycc_proto::work::v1::TaskLog;
use kycc_queue::ResultEntry;
use tokio::sync::{mpsc, oneshot};

use super::hub::EventHub;
use crate::core::{Event, Failure, Memo, Resolution};

/// What the leader hears of.
#[derive(Debug)]
pub(crate) enum Message {
    /// The run was written.
    Launched(RunId),
    Cancel {
        run_id: RunId,
        by: String,
        done: oneshot::Sender<()>,
    },
    Resolved {
        run_id: RunId,
        asset: AssetKey,
        answer: Result<(Resolution, Option<Memo>), Failure>,
    },
    RetryDue {
        run_id: RunId,
        task: TaskId,
        attempt: u32,
    },
    /// Applied and acknowledged when `done` is told.
    Results {
        entries: Vec<ResultEntry>,
        done: oneshot::Sender<()>,
    },
    Logs(Vec<TaskLog>),
    /// Lanes that were full may have room again.
    PushAgain,
    /// Definitions were read again: limits may differ.
    Reloaded,
}

impl Message {
    pub(super) fn event(self) -> Option<(RunId, Event)> {
        match self {
            Self::Resolved {
                run_id,
                asset,
                answer,
            } => Some((
                run_id,
                match answer {
                    Ok((resolution, memo)) => Event::StepResolved {
                        asset,
                        resolution,
                        memo,
                    },
                    Err(failure) => Event::StepResolveFailed { asset, failure },
                },
            )),
            Self::RetryDue {
                run_id,
                task,
                attempt,
            } => Some((run_id, Event::RetryDue { task, attempt })),
            _ => None,
        }
    }
}

/// For the handlers of the API.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle {
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) hub: Arc<EventHub>,
    /// False in a process that only reads.
    pub(super) leads: bool,
}

/// How long a caller waits for a cancel to be written.
const PATIENCE: Duration = Duration::from_secs(30);

impl EngineHandle {
    /// Of a process that does not lead: it serves reads, and moves no run.
    pub(crate) fn reading_only() -> Self {
        let (inbox, _) = mpsc::channel(1);
        Self {
            inbox,
            hub: Arc::new(EventHub::default()),
            leads: false,
        }
    }

    pub(crate) fn leads(&self) -> bool {
        self.leads
    }

    pub(crate) fn hub(&self) -> &EventHub {
        &self.hub
    }

    /// Never fails: a leader that is gone finds the run in the store when it comes back.
    pub(crate) async fn launched(&self, run_id: RunId) {
        let _ = self.inbox.send(Message::Launched(run_id)).await;
    }

    pub(crate) async fn reloaded(&self) {
        let _ = self.inbox.send(Message::Reloaded).await;
    }

    /// Whether the request was written; a run that has ended counts as such.
    pub(crate) async fn cancel(&self, run_id: RunId, by: String) -> bool {
        let (done, written) = oneshot::channel();
        let message = Message::Cancel { run_id, by, done };
        if self.inbox.send(message).await.is_err() {
            return false;
        }
        matches!(tokio::time::timeout(PATIENCE, written).await, Ok(Ok(())))
    }
}
