//! The queue of a fleet of processes: Redis Streams, one consumer group on each.
//!
//! What is guaranteed, and what it rests on:
//!
//! - **A task is delivered at least once**, to one consumer at a time, until it is acknowledged. A push that reports
//!   [`Effect::Unknown`](crate::Effect) may have happened; pushed again, the task is there twice, which fencing makes harmless.
//! - **Urgent first, then in order.** Tasks with a priority above 0 stand in a stream of their own, which every pull reads
//!   first. Within a stream tasks are handed out as they were pushed.
//! - **A push wakes a waiting reader at once.** Nobody polls: readers block within the server, in slices of five seconds
//!   so that a server that died is noticed.
//! - **A dropped pull takes nothing for good.** Its read is ended within the server. An entry that was given in that very
//!   instant is given back by the next pull of that lane in this process, at the end of its stream; where none comes, its
//!   lease runs out like that of a worker that died.
//! - **Only who leads ends a lease.** Nothing here takes an entry from a consumer; beats begin its idle time anew.
//! - **Results come again until acknowledged**, to whoever asks, in order.
//! - **Log lines come at most once**; about the newest `capacity.logs` are kept while nobody reads.
//! - **Bounded.** A lane holds `capacity.tasks` waiting and pending ones, checked within the server as it appends, so also
//!   among many processes. The acknowledged prefix of a stream is removed with each acknowledgement, nothing else ever is.
//! - **An emptied server is rebuilt by use.** Every script makes the groups that it misses.
//! - **A server that is away** is [`QueueError::Unavailable`] at once or after three seconds; the next call connects anew.
//!
//! What Redis keeps is what it was told to keep: with `appendfsync always` an answer means that it is on disk. With less,
//! the state store's DISPATCHED rows make good what is lost.

mod address;
mod connections;
mod entry;
mod failure;
mod keys;
mod lane;
mod reads;
mod scripts;
mod streams;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use kycc_proto::work::v1::{Task, TaskLog, TaskResult};
use prost::Message;
use redis::streams::{StreamId, StreamRangeReply};
use redis::{Script, ScriptInvocation};

use crate::{
    Beat, Capacity, Consumer, Delivery, EntryId, LaneReport, Outstanding, QueueError, ResultEntry,
    TaskQueue,
};
use address::Address;
pub use address::RedisUrlError;
use connections::{Connections, Question};
use entry::{ATTEMPT, LINE, LaneEntry, RESULT, TASK, TASK_ID, decode, order};
use keys::{GROUP, Keys};
use lane::Pull;
use reads::Shelf;
use streams::Tail;

/// Entries that one script looks at. Short, because the server answers nobody else meanwhile.
const PAGE: usize = 100;
/// A writer of results that finds no room looks again after the first pause, then less and less often.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

const RESULTS: &str = "the stream of results";
const LOGS: &str = "the stream of log lines";

#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Fleets that share a server are told apart by it. 1 to 64 ASCII letters, digits, `-` and `_`.
    pub namespace: String,
    pub capacity: Capacity,
    /// How long the mark of a cancelled task is kept: longer than any task waits for its worker.
    pub cancel_ttl: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            namespace: "kycc".to_owned(),
            capacity: Capacity::default(),
            cancel_ttl: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// See the module for what it guarantees. Needs Redis 7.0 or newer.
pub struct RedisQueue {
    address: Address,
    keys: Keys,
    options: RedisOptions,
    connections: Connections,
    shelf: Shelf,
}

impl std::fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisQueue")
            .field("address", &self.address)
            .field("options", &self.options)
            .field("shelf", &self.shelf)
            .finish_non_exhaustive()
    }
}

impl RedisQueue {
    /// Connects with the first call, not here: a fleet may start before its server.
    ///
    /// `url` is `redis://` or `rediss://` (TLS) `[user:password@]host[:port][/database][?namespace=name]`.
    ///
    /// # Errors
    /// When the URL is none of a Redis server or asks for something unknown.
    pub fn open(url: &str, options: RedisOptions) -> Result<Self, RedisUrlError> {
        let address = Address::parse(url, &options)?;
        Ok(Self {
            keys: Keys::new(&address.namespace),
            connections: Connections::new(address.client.clone()),
            shelf: Shelf::default(),
            address,
            options,
        })
    }

    async fn script<T: redis::FromRedisValue>(
        &self,
        script: ScriptInvocation<'_>,
        operation: &'static str,
    ) -> Result<T, QueueError> {
        let answered = self.connections.ask(Question::Script(script)).await;
        answered.map_err(|failure| failure.during(operation))
    }

    async fn acknowledge(&self, key: &str, ids: &[&str]) -> Result<(), QueueError> {
        for ids in ids.chunks(PAGE) {
            let mut ack = scripts::ACK.key(key);
            ack.arg(GROUP).arg(ids);
            self.script::<()>(ack, "acknowledge").await?;
        }
        Ok(())
    }

    /// False when the entry is not this consumer's.
    async fn prolong(&self, key: &str, id: &str, consumer: &str) -> Result<bool, QueueError> {
        let mut beat = scripts::BEAT.key(key);
        beat.arg(GROUP).arg(id).arg(consumer);
        self.script(beat, "prolong a lease").await
    }

    async fn is_cancelled(&self, task_id: &str) -> Result<bool, QueueError> {
        let mut exists = redis::cmd("EXISTS");
        exists.arg(self.keys.cancelled(task_id));
        let marked = self.connections.ask(Question::Command(exists)).await;
        marked.map_err(|f| f.during("say whether a task is cancelled"))
    }

    /// All pages of a script that answers where the next one starts. `argument` is what it wants before that.
    async fn pages<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        key: &str,
        argument: Option<u64>,
        operation: &'static str,
    ) -> Result<Vec<T>, QueueError> {
        let mut pages = Vec::new();
        let mut start = "-".to_owned();
        while !start.is_empty() {
            let mut page = script.key(key);
            page.arg(GROUP);
            if let Some(argument) = argument {
                page.arg(argument);
            }
            page.arg(&start).arg(PAGE);
            let (next, found) = self.script::<(String, T)>(page, operation).await?;
            pages.push(found);
            start = next;
        }
        Ok(pages)
    }

    fn tail(&self, key: String, script: &'static Script, max: usize) -> Tail<'_> {
        Tail {
            connections: &self.connections,
            key,
            script,
            max,
        }
    }
}

#[async_trait]
impl TaskQueue for RedisQueue {
    async fn ping(&self) -> Result<(), QueueError> {
        let ping = Question::Command(redis::cmd("PING"));
        let answered = self.connections.ask::<String>(ping).await;
        let answered = answered.map(drop);
        answered.map_err(|failure| failure.during("say that it is there"))
    }

    async fn push(&self, lane: &str, task: &Task) -> Result<(), QueueError> {
        let keys = self.keys.lane(lane);
        let urgent = task.priority > 0;
        let capacity = self.options.capacity.tasks;
        let mut append = scripts::APPEND.key(keys.stream(urgent));
        append
            .key(keys.stream(!urgent))
            .arg(GROUP)
            .arg(capacity)
            .arg(&[(TASK, task.encode_to_vec().as_slice())])
            .arg(&[(TASK_ID, task.task_id.as_str())])
            .arg(&[(ATTEMPT, task.attempt)]);
        if self.script(append, "push a task").await? {
            return Ok(());
        }
        Err(QueueError::Full {
            stream: format!("lane {lane}"),
            capacity,
        })
    }

    async fn pull(
        &self,
        lane: &str,
        consumer: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, QueueError> {
        let pull = Pull {
            queue: self,
            keys: self.keys.lane(lane),
            consumer,
            max,
        };
        pull.run(wait).await
    }

    async fn beat(&self, lane: &str, entry: &EntryId, consumer: &str) -> Result<Beat, QueueError> {
        let Some(entry) = LaneEntry::parse(entry) else {
            return Ok(Beat::Lost);
        };
        let keys = self.keys.lane(lane);
        // The mark has a slot of its own, so this is two questions; they travel together.
        let (ours, cancelled) = tokio::try_join!(
            self.prolong(keys.stream(entry.urgent), entry.id, consumer),
            self.is_cancelled(entry.task_id),
        )?;
        Ok(match (ours, cancelled) {
            (false, _) => Beat::Lost,
            (true, true) => Beat::Cancelled,
            (true, false) => Beat::Go,
        })
    }

    async fn ack(&self, lane: &str, entry: &EntryId) -> Result<(), QueueError> {
        let Some(entry) = LaneEntry::parse(entry) else {
            return Ok(());
        };
        let keys = self.keys.lane(lane);
        self.acknowledge(keys.stream(entry.urgent), &[entry.id])
            .await
    }

    async fn expired(&self, lane: &str, lease: Duration) -> Result<Vec<Delivery>, QueueError> {
        let keys = self.keys.lane(lane);
        let idle_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        let mut expired = Vec::new();
        for urgent in [true, false] {
            let key = keys.stream(urgent);
            let pages: Vec<StreamRangeReply> = self
                .pages(
                    &scripts::EXPIRED,
                    key,
                    Some(idle_ms),
                    "show leases that ran out",
                )
                .await?;
            expired.extend(
                pages
                    .into_iter()
                    .flat_map(|page| page.ids)
                    .map(|id| (urgent, id)),
            );
        }
        expired.sort_by_key(|(_, entry)| order(&entry.id));
        let mut deliveries = Vec::with_capacity(expired.len());
        for (urgent, entry) in expired {
            let holder = entry.get(entry::HOLDER).unwrap_or_default();
            match lane::delivery(&keys, urgent, &entry, holder) {
                Ok(delivery) => deliveries.push(delivery),
                // Whoever pulled it was told; it must not hide the others for ever.
                Err(_) => self.acknowledge(keys.stream(urgent), &[&entry.id]).await?,
            }
        }
        Ok(deliveries)
    }

    async fn outstanding(&self, lane: &str) -> Result<Vec<Outstanding>, QueueError> {
        let keys = self.keys.lane(lane);
        let mut outstanding = Vec::new();
        for urgent in [true, false] {
            let key = keys.stream(urgent);
            let pages: Vec<Vec<(String, u32)>> = self
                .pages(&scripts::OUTSTANDING, key, None, "name what it holds")
                .await?;
            outstanding.extend(
                pages
                    .into_iter()
                    .flatten()
                    .map(|(task_id, attempt)| Outstanding { task_id, attempt }),
            );
        }
        Ok(outstanding)
    }

    async fn report(&self, lane: &str) -> Result<LaneReport, QueueError> {
        let keys = self.keys.lane(lane);
        let mut report = LaneReport::default();
        let mut consumers: BTreeMap<String, Consumer> = BTreeMap::new();
        for urgent in [true, false] {
            let mut ask = scripts::REPORT.key(keys.stream(urgent));
            ask.arg(GROUP);
            let (waiting, pending, oldest_ms, takers): (u64, u64, u64, Vec<(String, u64, u64)>) =
                self.script(ask, "tell what a lane holds").await?;
            report.waiting += waiting;
            report.pending += pending;
            report.oldest = report.oldest.max(Duration::from_millis(oldest_ms));
            for (name, pending, idle_ms) in takers {
                let idle = Duration::from_millis(idle_ms);
                // It asks both streams, and one that has nothing for it does not note that.
                let known = consumers.entry(name.clone()).or_insert(Consumer {
                    name,
                    pending: 0,
                    idle,
                });
                known.pending += pending;
                known.idle = known.idle.min(idle);
            }
        }
        report.consumers = consumers.into_values().collect();
        Ok(report)
    }

    async fn cancel(&self, task_id: &str) -> Result<(), QueueError> {
        let mut mark = redis::cmd("SET");
        mark.arg(self.keys.cancelled(task_id)).arg(1).arg("PX").arg(
            u64::try_from(self.options.cancel_ttl.as_millis())
                .unwrap_or(u64::MAX)
                .max(1),
        );
        let marked = self.connections.ask::<()>(Question::Command(mark)).await;
        marked.map_err(|f| f.during("mark a task as cancelled"))
    }

    async fn publish_result(&self, result: &TaskResult) -> Result<(), QueueError> {
        let bytes = result.encode_to_vec();
        let mut pause = FIRST_PAUSE;
        loop {
            let mut append = scripts::APPEND.key(self.keys.results());
            append
                .arg(GROUP)
                .arg(self.options.capacity.results)
                .arg(&[(RESULT, bytes.as_slice())]);
            if self.script(append, "publish a result").await? {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn pull_results(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<ResultEntry>, QueueError> {
        let tail = self.tail(self.keys.results(), &scripts::OLDEST, max);
        let entries = tail.entries(wait).await;
        let entries = entries.map_err(|f| f.during("show results"))?;
        let mut results = Vec::with_capacity(entries.len());
        for entry in entries {
            match decode(RESULTS, &entry, RESULT) {
                Ok(result) => results.push(ResultEntry {
                    entry: EntryId(entry.id),
                    result,
                }),
                // Told once; in its place it would keep the others from ever being read. They come again.
                Err(error) => {
                    self.acknowledge(&self.keys.results(), &[&entry.id]).await?;
                    return Err(error);
                }
            }
        }
        Ok(results)
    }

    async fn ack_results(&self, entries: &[EntryId]) -> Result<(), QueueError> {
        let ids: Vec<&str> = entries
            .iter()
            .map(|entry| entry.0.as_str())
            .filter(|id| order(id).is_some())
            .collect();
        self.acknowledge(&self.keys.results(), &ids).await
    }

    async fn publish_logs(&self, logs: &[TaskLog]) -> Result<(), QueueError> {
        if logs.is_empty() {
            return Ok(());
        }
        let mut append = scripts::APPEND_LINES.key(self.keys.logs());
        append.arg(GROUP).arg(self.options.capacity.logs);
        for log in logs {
            append.arg(log.encode_to_vec().as_slice());
        }
        self.script(append, "take log lines").await
    }

    async fn pull_logs(&self, max: usize, wait: Duration) -> Result<Vec<TaskLog>, QueueError> {
        let tail = self.tail(self.keys.logs(), &scripts::TAKE_LINES, max);
        let entries = tail.entries(wait).await;
        let entries: Vec<StreamId> = entries.map_err(|f| f.during("hand out log lines"))?;
        entries
            .iter()
            .map(|entry| decode(LOGS, entry, LINE))
            .collect()
    }
}
