//! One term of the leader: hear, plan, write, do, acknowledge. One at a time, so that a run has one mover.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kycc_domain::ids::{RunId, TaskId};
use kycc_queue::{EntryId, TaskQueue};
use kycc_runtime::{Changed, Clock, crash_point};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::handle::{Creation, Message};
use super::housekeeping::Housekeeping;
use super::hub::{EventHub, Notice};
use super::lines::HeldLines;
use super::live::Live;
use super::memos::{self, Memos};
use super::outside::Outside;
use super::reconcile::Reconciler;
use super::streams;
use super::term::{Deposed, Term};
use super::timers::Sweeps;
use super::turn::Input;
use crate::core::Event;
use crate::definitions::{Catalogue, Definitions};
use crate::store::{AttemptEnd, RunStore, RunStoreError, StoredRun};

/// What the leader stands on.
#[derive(Debug, Clone)]
pub(crate) struct EngineParts {
    pub store: Arc<dyn RunStore>,
    pub queue: Arc<dyn TaskQueue>,
    pub outside: Arc<dyn Outside>,
    pub catalogue: Arc<Catalogue>,
    pub clock: Arc<dyn Clock>,
    /// Where other modules of this process see how far publications have been written.
    pub published: Changed,
    /// Of a worker on its task.
    pub lease: Duration,
    /// How long a leader may be silent; none where no other process can lead.
    pub leader_lease: Option<Duration>,
    /// Where other processes reach this one while it leads: host:port.
    pub address: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("cannot load the runs that have not ended")]
    Recover {
        #[source]
        source: RunStoreError,
    },
    #[error("a part of the leader failed")]
    Part {
        #[source]
        source: tokio::task::JoinError,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Stopped,
    Deposed,
}

#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) parts: EngineParts,
    pub(super) hub: Arc<EventHub>,
    pub(super) to_self: mpsc::Sender<Message>,
    inbox: mpsc::Receiver<Message>,
    pub(super) term: Term,
    pub(super) live: HashMap<RunId, Live>,
    /// Resolutions, timers, and readers of the queue. They belong to the term and end with it, whichever way it ends: two
    /// leaders' readers must not overlap.
    pub(super) children: JoinSet<()>,
    /// Dispatched in the store, and not yet on a lane.
    pub(super) unpushed: Vec<(RunId, TaskId, u32)>,
    pub(super) sweeps: Sweeps,
    pub(super) reconciler: Reconciler,
    pub(super) lines: HeldLines,
    pub(super) memos: Memos,
}

const INBOX: usize = 1024;
const BATCH: usize = 1024;
const LOGS: usize = 5_000;
/// Until a run that could not be read is tried again.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// What is to be told once everything is written and pushed.
#[derive(Default)]
pub(super) struct After {
    results: Vec<EntryId>,
    pub(super) expired: Vec<(String, EntryId)>,
    done: Vec<oneshot::Sender<()>>,
}

impl Engine {
    pub(super) fn new(
        parts: EngineParts,
        hub: Arc<EventHub>,
        term: Term,
    ) -> (Self, mpsc::Sender<Message>) {
        let (to_self, inbox) = mpsc::channel(INBOX);
        let (memos, asked) = Memos::new();
        let mut children = JoinSet::new();
        children.spawn(memos::answer(Arc::clone(&parts.store), asked));
        let engine = Self {
            parts,
            hub,
            to_self: to_self.clone(),
            inbox,
            term,
            live: HashMap::new(),
            children,
            unpushed: Vec::new(),
            sweeps: Sweeps::default(),
            reconciler: Reconciler::default(),
            lines: HeldLines::default(),
            memos,
        };
        (engine, to_self)
    }

    /// Leads until told to stop, or until the term is over. A turn that has begun is finished, unless another leads.
    pub(super) async fn lead(mut self, stop: &CancellationToken) -> Result<Ended, EngineError> {
        let keeper = self.term.clone().keep(Arc::clone(&self.parts.store));
        self.children.spawn(keeper);
        let ended = self.serve(stop).await;
        self.children.shutdown().await;
        ended
    }

    async fn serve(&mut self, stop: &CancellationToken) -> Result<Ended, EngineError> {
        let recovered = tokio::select! {
            () = stop.cancelled() => return Ok(Ended::Stopped),
            recovered = self.recover() => recovered?,
        };
        if recovered.is_err() {
            return Ok(Ended::Deposed);
        }
        let (queue, to_self) = (&self.parts.queue, &self.to_self);
        self.children
            .spawn(streams::results(Arc::clone(queue), to_self.clone()));
        self.children
            .spawn(streams::logs(Arc::clone(queue), to_self.clone()));
        self.children.spawn(Housekeeping::of(&self.parts).keep());
        loop {
            let mut messages = Vec::new();
            let wait = self.until_next_timer().min(self.until_next_look());
            let wait = wait.min(self.lines.until_due());
            tokio::select! {
                () = stop.cancelled() => return Ok(Ended::Stopped),
                () = self.term.ended() => return Ok(Ended::Deposed),
                received = self.inbox.recv_many(&mut messages, BATCH) => debug_assert!(received > 0),
                Some(ended) = self.children.join_next() => {
                    ended.map_err(|source| EngineError::Part { source })?;
                    // Many end at once, and each look at the timers is a look at every run.
                    while let Some(ended) = self.children.try_join_next() {
                        ended.map_err(|source| EngineError::Part { source })?;
                    }
                    continue;
                }
                () = tokio::time::sleep(wait) => {}
            }
            if self.turn(messages).await.is_err() {
                return Ok(Ended::Deposed);
            }
        }
    }

    pub(super) async fn turn(&mut self, messages: Vec<Message>) -> Result<(), Deposed> {
        self.term.check()?;
        let mut after = After::default();
        let mut inputs = Vec::new();
        let mut creations = Vec::new();
        for message in messages {
            self.hear(message, &mut inputs, &mut creations, &mut after)
                .await;
        }
        self.create(creations).await?;
        self.sweep(&mut inputs, &mut after).await;
        self.timeouts(&mut inputs);
        self.lines.release(&mut inputs);
        let with_results = !after.results.is_empty();
        let effects = self.write(inputs, with_results).await?;
        self.perform(effects).await;
        self.acknowledge(after).await;
        self.reconcile().await;
        Ok(())
    }

    async fn hear(
        &mut self,
        message: Message,
        inputs: &mut Vec<Input>,
        creations: &mut Vec<Creation>,
        after: &mut After,
    ) {
        match message {
            Message::Create(creation) => creations.push(creation),
            Message::Launched(run_id) => self.take_up(run_id).await,
            Message::Cancel { run_id, deed, done } => {
                inputs.push(Input::Cancel { run_id, deed });
                after.done.push(done);
            }
            Message::Record { deed, done } => self.record(&deed, done).await,
            Message::Results { entries, done } => {
                // What a task said before its result is written before it.
                while let Ok(logs) = self.parts.queue.pull_logs(LOGS, Duration::ZERO).await {
                    let full = logs.len() == LOGS;
                    self.lines(&logs);
                    if !full {
                        break;
                    }
                }
                for entry in entries {
                    inputs.extend(streams::input(entry.result));
                    after.results.push(entry.entry);
                }
                after.done.push(done);
            }
            Message::Logs(logs) => self.lines(&logs),
            Message::PushAgain => self.push_again().await,
            Message::QueueBack => self.reconciler.soon(),
            Message::Reloaded => {}
            Message::Resolved(resolved) => {
                let (run_id, happened) = resolved.event();
                inputs.push(event(run_id, happened));
            }
            Message::RetryDue {
                run_id,
                task,
                attempt,
            } => inputs.push(event(run_id, Event::RetryDue { task, attempt })),
        }
    }

    pub(super) async fn take_up(&mut self, run_id: RunId) {
        if self.live.contains_key(&run_id) {
            return;
        }
        match self.parts.store.run(&run_id).await {
            Ok(Some(run)) if !run.state.status.is_terminal() => self.adopt(run).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%run_id, error = %kycc_telemetry::chain(&error), "cannot read a new run; trying again");
                self.later(READ_PAUSE, Message::Launched(run_id));
            }
        }
    }

    pub(super) async fn adopt(&mut self, run: StoredRun) {
        let definitions = self.definitions(&run.facts.definitions_hash).await;
        let now = self.parts.clock.now_micros();
        let started_at = run.times.started_at;
        let mut live = Live::new(run.facts, run.state, definitions, started_at, now);
        live.last_sequence = run.last_sequence;
        self.hub.notify(&live.facts.run_id, Notice::Events);
        self.live.insert(live.facts.run_id.clone(), live);
    }

    /// Those that a run was started with; the current ones should they be lost.
    async fn definitions(&self, hash: &str) -> Arc<Definitions> {
        let current = self.parts.catalogue.current();
        if current.hash() == hash {
            return current;
        }
        let mut others = self.live.values();
        if let Some(run) = others.find(|run| run.facts.definitions_hash == hash) {
            return Arc::clone(&run.definitions);
        }
        match self.parts.store.definitions(hash).await {
            Ok(Some(document)) => match Definitions::from_document(&document) {
                Ok(definitions) => return Arc::new(definitions),
                Err(error) => {
                    tracing::error!(hash, %error, "a run's definitions are not understood any more")
                }
            },
            Ok(None) => tracing::error!(hash, "a run's definitions are not in the store"),
            Err(error) => {
                tracing::error!(hash, error = %kycc_telemetry::chain(&error), "cannot read a run's definitions");
            }
        }
        current
    }

    async fn acknowledge(&self, after: After) {
        let queue = &self.parts.queue;
        if !after.results.is_empty() {
            if let Err(error) = queue.ack_results(&after.results).await {
                // They come again, and change nothing.
                tracing::warn!(error = %kycc_telemetry::chain(&error), "cannot acknowledge results");
            }
            crash_point!("orchestrator.after_result_ack");
        }
        for (lane, entry) in after.expired {
            if let Err(error) = queue.ack(&lane, &entry).await {
                tracing::warn!(lane, error = %kycc_telemetry::chain(&error), "cannot end a lease");
            }
        }
        for done in after.done {
            let _ = done.send(());
        }
    }

    pub(super) fn later(&mut self, pause: Duration, message: Message) {
        let to_self = self.to_self.clone();
        self.children.spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = to_self.send(message).await;
        });
    }
}

pub(super) fn event(run_id: RunId, event: Event) -> Input {
    let attempt: Option<AttemptEnd> = None;
    Input::Event {
        run_id,
        event,
        attempt,
    }
}
