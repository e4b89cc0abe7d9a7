//! Pulling from a lane: urgent tasks before the others, never more than were asked for, woken by the server.

use std::time::Duration;

use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisResult};
use tokio::time::Instant;

use super::entry::{LaneEntry, TASK, TASK_ID, decode};
use super::failure::Failure;
use super::keys::{GROUP, LaneKeys};
use super::reads::Hand;
use super::{RedisQueue, scripts};
use crate::{Delivery, EntryId, QueueError};

/// A server that died without a word is noticed after this and the time of an answer. Also how long the read of a pull
/// that was dropped may still take a task when it could not be unblocked and this process pulls no more.
const SLICE: Duration = Duration::from_secs(5);

const PULL: &str = "hand out tasks";

/// What one consumer wants of one lane.
pub(super) struct Pull<'a> {
    pub(super) queue: &'a RedisQueue,
    pub(super) keys: LaneKeys,
    pub(super) consumer: &'a str,
    pub(super) max: usize,
}

/// An entry that is this consumer's, and of which stream.
struct Given {
    urgent: bool,
    entry: StreamId,
}

impl Pull<'_> {
    pub(super) async fn run(&self, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        if self.max == 0 {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + wait;
        self.settle().await;
        let queue = self.queue;
        let mut hand = Hand::new(
            &queue.connections,
            &queue.shelf,
            &self.keys.lane,
            self.consumer,
        );
        loop {
            let taken = self.take(&mut hand).await;
            let given = self.given(taken.map_err(|failure| failure.during(PULL))?);
            if !given.is_empty() {
                return self.hand_over(given).await;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Vec::new());
            }
            match self.wait(&mut hand, left.min(SLICE)).await {
                Ok(reply) => {
                    let given = self.given(reply);
                    if !given.is_empty() {
                        return self.hand_over(given).await;
                    }
                }
                // The server was emptied: taking makes the group again.
                Err(failure) if failure.is_missing_group() => {}
                Err(failure) => return Err(failure.during(PULL)),
            }
        }
    }

    /// What waits now.
    async fn take(&self, hand: &mut Hand<'_>) -> Result<StreamReadReply, Failure> {
        let mut take = scripts::TAKE.key(&self.keys.urgent);
        take.key(&self.keys.tasks)
            .arg(GROUP)
            .arg(self.consumer)
            .arg(self.max);
        hand.read(Duration::ZERO, |mut connection| async move {
            take.invoke_async(&mut connection).await
        })
        .await
    }

    /// The next that comes. The server counts per stream, so that both may give one in the instant between `take` and
    /// this; the surplus is given back.
    async fn wait(&self, hand: &mut Hand<'_>, slice: Duration) -> Result<StreamReadReply, Failure> {
        let ms = usize::try_from(slice.as_millis()).unwrap_or(usize::MAX);
        let options = StreamReadOptions::default()
            .group(GROUP, self.consumer)
            .count(1)
            // Zero would be for ever.
            .block(ms.max(1));
        let streams = [self.keys.urgent.clone(), self.keys.tasks.clone()];
        hand.read(slice, |mut connection| async move {
            let read: RedisResult<Option<StreamReadReply>> = connection
                .xread_options(&streams, &[">", ">"], &options)
                .await;
            read
        })
        .await
    }

    fn given(&self, reply: StreamReadReply) -> Vec<Given> {
        let of_stream = |urgent: bool| {
            let key = self.keys.stream(urgent);
            let streams = reply.keys.iter().filter(move |stream| stream.key == key);
            streams
                .flat_map(|stream| stream.ids.iter().cloned())
                .map(move |entry| Given { urgent, entry })
        };
        of_stream(true).chain(of_stream(false)).collect()
    }

    /// Gives back what pulls of this lane were given as they were dropped, whoever's they were. What cannot be given back
    /// is left to its lease.
    async fn settle(&self) {
        let queue = self.queue;
        while let Some(mut hand) =
            Hand::abandoned(&queue.connections, &queue.shelf, &self.keys.lane)
        {
            let Ok(reply) = hand.end().await else { return };
            let given = self.given(reply);
            if self.give_back(hand.consumer(), &given).await.is_err() {
                return;
            }
        }
    }

    /// Gives back what is too much. An entry that cannot be read is acknowledged away with its error: it would fail for
    /// ever; those beside it are given back whole.
    async fn hand_over(&self, mut given: Vec<Given>) -> Result<Vec<Delivery>, QueueError> {
        let surplus = given.split_off(self.max.min(given.len()));
        let mut deliveries = Vec::with_capacity(given.len());
        let mut unreadable = None;
        for given in &given {
            let consumer = self.consumer.to_owned();
            match delivery(&self.keys, given.urgent, &given.entry, consumer) {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => {
                    self.queue
                        .acknowledge(self.keys.stream(given.urgent), &[&given.entry.id])
                        .await?;
                    unreadable = Some(error);
                }
            }
        }
        if let Some(error) = unreadable {
            self.give_back(self.consumer, &given).await?;
            return Err(error);
        }
        self.give_back(self.consumer, &surplus).await?;
        Ok(deliveries)
    }

    async fn give_back(&self, consumer: &str, surplus: &[Given]) -> Result<(), QueueError> {
        for urgent in [true, false] {
            let mut script = scripts::GIVE_BACK.key(self.keys.stream(urgent));
            script.arg(GROUP).arg(consumer);
            let mut some = false;
            for given in surplus.iter().filter(|given| given.urgent == urgent) {
                script.arg(&given.entry.id);
                some = true;
            }
            if some {
                self.queue.script::<()>(script, PULL).await?;
            }
        }
        Ok(())
    }
}

/// A pending entry as a delivery.
pub(super) fn delivery(
    keys: &LaneKeys,
    urgent: bool,
    entry: &StreamId,
    consumer: String,
) -> Result<Delivery, QueueError> {
    Ok(Delivery {
        entry: name(urgent, entry),
        task: decode(&keys.lane, entry, TASK)?,
        consumer,
    })
}

fn name(urgent: bool, entry: &StreamId) -> EntryId {
    LaneEntry {
        urgent,
        id: &entry.id,
        task_id: &entry.get::<String>(TASK_ID).unwrap_or_default(),
    }
    .name()
}
