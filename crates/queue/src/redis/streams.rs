//! The streams back: results and log lines. Each has one reader at a time.

use std::time::Duration;

use redis::streams::{StreamId, StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{AsyncCommands, RedisResult, Script};
use tokio::time::{Instant, timeout};

use super::connections::{ANSWER, Connections, Reader};
use super::failure::Failure;
use super::keys::GROUP;

/// A server that died without a word is noticed after this and the time of an answer.
const SLICE: Duration = Duration::from_secs(5);

/// In the group. One name for whoever leads: nothing depends on who was given an entry.
const READER: &str = "leader";

/// The reading end of a stream.
pub(super) struct Tail<'a> {
    pub(super) connections: &'a Connections,
    pub(super) key: String,
    /// What is to be read now; answers the last id delivered before, and entries.
    pub(super) script: &'static Script,
    pub(super) max: usize,
}

impl Tail<'_> {
    /// Up to `max` entries, waiting up to `wait` for the first. Dropping it takes nothing but what the script takes: the
    /// waiting itself only looks, so that a reader which is stopped or was forgotten keeps nothing from the next.
    pub(super) async fn entries(&self, wait: Duration) -> Result<Vec<StreamId>, Failure> {
        let deadline = Instant::now() + wait;
        loop {
            let mut reader = self.connections.reader().await?;
            let (last, now) = self.now(&mut reader).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !now.is_empty() || left.is_zero() || self.max == 0 {
                self.connections.give_back(reader);
                return Ok(now);
            }
            self.arrival(&mut reader, &last, left.min(SLICE)).await?;
            self.connections.give_back(reader);
        }
    }

    async fn now(&self, reader: &mut Reader) -> Result<(String, Vec<StreamId>), Failure> {
        let mut script = self.script.key(&self.key);
        script.arg(GROUP).arg(READER).arg(self.max);
        let asked = script.invoke_async(&mut reader.connection);
        let (last, entries): (String, StreamRangeReply) = self.bounded(ANSWER, asked).await?;
        Ok((last, entries.ids))
    }

    /// Returns when something stands behind `last`, or after the slice.
    async fn arrival(
        &self,
        reader: &mut Reader,
        last: &str,
        slice: Duration,
    ) -> Result<(), Failure> {
        let ms = usize::try_from(slice.as_millis()).unwrap_or(usize::MAX);
        // Zero would be for ever.
        let options = StreamReadOptions::default().count(1).block(ms.max(1));
        let (keys, ids) = ([&self.key], [last]);
        let read = reader.connection.xread_options(&keys, &ids, &options);
        let _: Option<StreamReadReply> = self.bounded(slice + ANSWER, read).await?;
        Ok(())
    }

    /// The connection that failed is the caller's, and ends with the error.
    async fn bounded<T>(
        &self,
        time: Duration,
        asked: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, Failure> {
        let answered = match timeout(time, asked).await {
            Ok(answered) => answered.map_err(Failure::of),
            Err(_) => Err(Failure::NoAnswer(None)),
        };
        if answered.as_ref().is_err_and(Failure::spoils_the_connection) {
            self.connections.let_readers_go();
        }
        answered
    }
}
