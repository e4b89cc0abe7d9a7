//! How others reach the leader.

use std::sync::Arc;
use std::time::Duration;

use kycc_audit::Deed;
use kycc_domain::ids::{AssetKey, RunId, TaskId};
use kycc_proto::work::v1::TaskLog;
use kycc_queue::ResultEntry;
use tokio::sync::{mpsc, oneshot, watch};

use super::hub::EventHub;
use crate::core::{Event, Failure, Memo, Resolution};
use crate::store::{Created, NewRun, RunStoreError};

/// What the leader hears of.
#[derive(Debug)]
pub(crate) enum Message {
    /// To be written and taken up.
    Create(Creation),
    /// The run may have been written by somebody who could not say so.
    Launched(RunId),
    /// `deed`: for the audit log, where it changes the run.
    Cancel {
        run_id: RunId,
        deed: Box<Deed>,
        done: oneshot::Sender<()>,
    },
    /// For the audit log alone; dropped without a word where it cannot be written.
    Record {
        deed: Box<Deed>,
        done: oneshot::Sender<()>,
    },
    Resolved(Resolved),
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
    /// The queue answers again after it did not: what it held may be gone.
    QueueBack,
    /// Definitions were read again: limits may differ.
    Reloaded,
}

#[derive(Debug)]
pub(crate) struct Creation {
    pub(super) new: Box<NewRun>,
    pub(super) done: oneshot::Sender<Result<Created, Arc<RunStoreError>>>,
}

/// What was found out about a step that is to run.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(super) run_id: RunId,
    pub(super) asset: AssetKey,
    pub(super) answer: Result<(Resolution, Option<Memo>), Failure>,
}

impl Resolved {
    pub(super) fn event(self) -> (RunId, Event) {
        let asset = self.asset;
        let event = match self.answer {
            Ok((resolution, memo)) => Event::StepResolved {
                asset,
                resolution,
                memo,
            },
            Err(failure) => Event::StepResolveFailed { asset, failure },
        };
        (self.run_id, event)
    }
}

/// What this process is to the runs of the fleet, at the moment.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// It does not know yet, or not any more, who leads.
    Starting,
    /// It was started to read only.
    Reads,
    Leads(mpsc::Sender<Message>),
    /// Another process leads, reached at host:port.
    Follows {
        leader: String,
    },
}

/// Where a call that moves runs is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seat {
    Here,
    There(String),
    /// This process only reads.
    Nowhere,
    /// Nobody is known to lead.
    Vacant,
}

/// Why a run was not written, as far as its caller can know.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotCreated {
    #[error("the leader changed")]
    LeaderChanged,
    #[error("cannot write the run")]
    Store(#[source] Arc<RunStoreError>),
}

/// For the handlers of the API.
#[derive(Debug, Clone)]
pub(crate) struct EngineHandle {
    role: watch::Receiver<Role>,
    hub: Arc<EventHub>,
}

/// How long a caller waits for a cancel to be written.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a call waits for somebody to lead: a start takes less, and a change of leaders rarely more.
const GRACE: Duration = Duration::from_secs(5);

impl EngineHandle {
    pub(super) fn new(role: watch::Receiver<Role>, hub: Arc<EventHub>) -> Self {
        Self { role, hub }
    }

    /// Of a process that does not lead: it serves reads, and moves no run.
    pub(crate) fn reading_only() -> Self {
        let (_, role) = watch::channel(Role::Reads);
        Self::new(role, Arc::default())
    }

    /// Waits a little for somebody to lead.
    pub(crate) async fn seat(&self) -> Seat {
        let mut role = self.role.clone();
        let known = role.wait_for(|role| !matches!(role, Role::Starting));
        match tokio::time::timeout(GRACE, known).await {
            Ok(Ok(role)) => match &*role {
                Role::Leads(_) => Seat::Here,
                Role::Follows { leader } => Seat::There(leader.clone()),
                Role::Reads => Seat::Nowhere,
                Role::Starting => Seat::Vacant,
            },
            _ => Seat::Vacant,
        }
    }

    /// False in a process that was started to read only.
    pub(crate) fn moves_runs(&self) -> bool {
        !matches!(&*self.role.borrow(), Role::Reads)
    }

    /// Whether what happens to runs is told here; watchers of a process that only reads expect nothing.
    pub(crate) fn tells(&self) -> bool {
        matches!(&*self.role.borrow(), Role::Leads(_) | Role::Reads)
    }

    fn inbox(&self) -> Option<mpsc::Sender<Message>> {
        match &*self.role.borrow() {
            Role::Leads(inbox) => Some(inbox.clone()),
            _ => None,
        }
    }

    pub(crate) fn hub(&self) -> &EventHub {
        &self.hub
    }

    /// Written when it answers, also when the caller does not wait for that. After an error that leaves open whether the run
    /// was written, the same request id finds out.
    pub(crate) async fn create(&self, new: NewRun) -> Result<Created, NotCreated> {
        let inbox = self.inbox().ok_or(NotCreated::LeaderChanged)?;
        let (done, written) = oneshot::channel();
        let new = Box::new(new);
        let sent = inbox.send(Message::Create(Creation { new, done })).await;
        sent.map_err(|_| NotCreated::LeaderChanged)?;
        match written.await {
            Ok(answer) => answer.map_err(NotCreated::Store),
            Err(_) => Err(NotCreated::LeaderChanged),
        }
    }

    /// Whether the deed stands in the audit log.
    pub(crate) async fn record(&self, deed: Deed) -> bool {
        let Some(inbox) = self.inbox() else {
            return false;
        };
        let (done, written) = oneshot::channel();
        let deed = Box::new(deed);
        if inbox.send(Message::Record { deed, done }).await.is_err() {
            return false;
        }
        matches!(tokio::time::timeout(PATIENCE, written).await, Ok(Ok(())))
    }

    pub(crate) async fn reloaded(&self) {
        if let Some(inbox) = self.inbox() {
            let _ = inbox.send(Message::Reloaded).await;
        }
    }

    /// Whether the request was written; a run that has ended counts as such.
    pub(crate) async fn cancel(&self, run_id: RunId, deed: Deed) -> bool {
        let Some(inbox) = self.inbox() else {
            return false;
        };
        let (done, written) = oneshot::channel();
        let deed = Box::new(deed);
        let message = Message::Cancel { run_id, deed, done };
        if inbox.send(message).await.is_err() {
            return false;
        }
        matches!(tokio::time::timeout(PATIENCE, written).await, Ok(Ok(())))
    }
}
