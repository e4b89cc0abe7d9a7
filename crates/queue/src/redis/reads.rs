//! Reads that outlive who asked for them. A read that is under way takes entries when the server answers, not when the
//! answer is looked at; so a pull that is dropped leaves its read on a shelf, and the next pull of the same consumer
//! takes it from there.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisResult;
use redis::streams::StreamReadReply;
use tokio::time::timeout;

use super::connections::{ANSWER, Connections, Reader, Unblocker};
use super::failure::Failure;

/// Lane and consumer.
pub(super) type Place = (String, String);

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

#[derive(Default)]
pub(super) struct Shelf(Mutex<HashMap<Place, Vec<Read>>>);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let abandoned: usize = self.reads().values().map(Vec::len).sum();
        f.debug_struct("Shelf")
            .field("abandoned", &abandoned)
            .finish()
    }
}

impl Shelf {
    fn reads(&self) -> MutexGuard<'_, HashMap<Place, Vec<Read>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, place: Place, read: Read) {
        self.reads().entry(place).or_default().push(read);
    }

    fn take(&self, place: &Place) -> Option<Read> {
        let mut reads = self.reads();
        let read = reads.get_mut(place)?.pop();
        if reads.get(place).is_some_and(Vec::is_empty) {
            reads.remove(place);
        }
        read
    }
}

/// One pull's hold on a reader. Dropped with a read under way, it puts that on the shelf and ends its waiting.
pub(super) struct Hand<'a> {
    connections: &'a Connections,
    shelf: &'a Shelf,
    place: Place,
    under_way: Option<Read>,
}

impl<'a> Hand<'a> {
    pub(super) fn new(connections: &'a Connections, shelf: &'a Shelf, place: Place) -> Self {
        Self {
            connections,
            shelf,
            place,
            under_way: None,
        }
    }

    /// What an abandoned pull of this place was given, if there is one.
    pub(super) async fn resume(&mut self) -> Option<Result<StreamReadReply, Failure>> {
        self.under_way = Some(self.shelf.take(&self.place)?);
        Some(self.finish().await)
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
        self.under_way = Some(Read {
            reader,
            answer,
            block,
            unblocker,
        });
        self.finish().await
    }

    async fn finish(&mut self) -> Result<StreamReadReply, Failure> {
        let Some(read) = &mut self.under_way else {
            return Ok(StreamReadReply::default());
        };
        let answered = timeout(read.block + ANSWER, &mut read.answer).await;
        let answered = match answered {
            Ok(answered) => answered.map_err(Failure::of),
            Err(_) => Err(Failure::NoAnswer(None)),
        };
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
            self.shelf.put(std::mem::take(&mut self.place), read);
        }
    }
}
