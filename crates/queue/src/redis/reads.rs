//! Reads that outlive who asked for them. A read that is under way takes entries when the server answers, not when the
//! answer is looked at. So a pull that is dropped puts its read on a shelf, and the next pull of that lane in this process
//! gives back what it was given.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use redis::streams::StreamReadReply;
use tokio::time::{Instant, timeout};

use super::connections::{ANSWER, Connections, Reader, Unblocker};
use super::failure::Failure;

/// A read whose waiting was ended before the server knew that it waits is told again after so long.
const AGAIN: Duration = Duration::from_millis(20);

type Answer = Pin<Box<dyn Future<Output = RedisResult<Option<StreamReadReply>>> + Send>>;

/// A reader with what it has asked.
struct Read {
    reader: Reader,
    answer: Answer,
    /// Longest time that the server waits before it answers.
    block: Duration,
    /// For a read that waits. At hand before it begins, because a drop cannot connect.
    unblocker: Option<Unblocker>,
}

struct Abandoned {
    lane: String,
    consumer: String,
    read: Read,
}

#[derive(Default)]
pub(super) struct Shelf(Mutex<Vec<Abandoned>>);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf")
            .field("abandoned", &self.reads().len())
            .finish()
    }
}

impl Shelf {
    fn reads(&self) -> MutexGuard<'_, Vec<Abandoned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, lane: &str) -> Option<Abandoned> {
        let mut reads = self.reads();
        let found = reads.iter().position(|abandoned| abandoned.lane == lane)?;
        Some(reads.swap_remove(found))
    }
}

/// One pull's hold on a reader. Dropped with a read under way, it puts that on the shelf and ends its waiting.
pub(super) struct Hand<'a> {
    connections: &'a Connections,
    shelf: &'a Shelf,
    lane: String,
    consumer: String,
    under_way: Option<Read>,
}

impl<'a> Hand<'a> {
    pub(super) fn new(
        connections: &'a Connections,
        shelf: &'a Shelf,
        lane: &str,
        consumer: &str,
    ) -> Self {
        Self {
            connections,
            shelf,
            lane: lane.to_owned(),
            consumer: consumer.to_owned(),
            under_way: None,
        }
    }

    /// The hand of a pull of this lane that was dropped, if there is one.
    pub(super) fn abandoned(
        connections: &'a Connections,
        shelf: &'a Shelf,
        lane: &str,
    ) -> Option<Self> {
        let abandoned = shelf.take(lane)?;
        Some(Self {
            connections,
            shelf,
            lane: abandoned.lane,
            consumer: abandoned.consumer,
            under_way: Some(abandoned.read),
        })
    }

    pub(super) fn consumer(&self) -> &str {
        &self.consumer
    }

    /// Asks something that the server answers within `block`.
    pub(super) async fn read<F, A>(
        &mut self,
        block: Duration,
        ask: F,
    ) -> Result<StreamReadReply, Failure>
    where
        F: FnOnce(redis::aio::MultiplexedConnection) -> A,
        A: Future<Output = RedisResult<Option<StreamReadReply>>> + Send + 'static,
    {
        let unblocker = if block.is_zero() {
            None
        } else {
            Some(self.connections.unblocker().await?)
        };
        let reader = self.connections.reader().await?;
        let answer = Box::pin(ask(reader.connection.clone()));
        let read = self.under_way.insert(Read {
            reader,
            answer,
            block,
            unblocker,
        });
        let answered = match timeout(block + ANSWER, &mut read.answer).await {
            Ok(answered) => answered.map_err(Failure::of),
            Err(_) => Err(Failure::NoAnswer(None)),
        };
        self.finish(answered)
    }

    /// Ends the waiting of an abandoned read, and says what it was given.
    pub(super) async fn end(&mut self) -> Result<StreamReadReply, Failure> {
        let deadline = Instant::now() + ANSWER;
        while let Some(read) = &mut self.under_way {
            if !read.block.is_zero() {
                let unblocker = self.connections.unblocker().await?;
                unblocker.unblock(read.reader.client_id);
            }
            match timeout(AGAIN, &mut read.answer).await {
                Ok(answered) => return self.finish(answered.map_err(Failure::of)),
                Err(_) if Instant::now() < deadline => {}
                Err(_) => return self.finish(Err(Failure::NoAnswer(None))),
            }
        }
        Ok(StreamReadReply::default())
    }

    /// Nothing is under way any more; the reader is kept for others unless it failed.
    fn finish(
        &mut self,
        answered: Result<Option<StreamReadReply>, Failure>,
    ) -> Result<StreamReadReply, Failure> {
        if let Some(read) = self.under_way.take() {
            match &answered {
                Err(failure) if failure.spoils_the_connection() => {
                    self.connections.let_readers_go();
                }
                _ => self.connections.give_back(read.reader),
            }
        }
        answered.map(Option::unwrap_or_default)
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if let Some(mut read) = self.under_way.take() {
            if let Some(unblocker) = read.unblocker.take() {
                unblocker.unblock(read.reader.client_id);
            }
            self.shelf.reads().push(Abandoned {
                lane: std::mem::take(&mut self.lane),
                consumer: std::mem::take(&mut self.consumer),
                read,
            });
        }
    }
}
