//! Bounds the memory of request messages: a thousand calls of 4 MiB each would be 4 GiB before any handler ran.
//!
//! A message tells its length before it comes; so much of the common budget is taken then, and given back when the call is
//! answered, or its stream goes on to the next message. Where nothing is left, the call is turned away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, take_ready};
use crate::ApiError;

const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Compression flag and length, before every message of gRPC.
const PREFIX_BYTES: usize = 5;
/// Small ones are bounded by the number of calls already.
const FREE_BYTES: usize = 16 * 1024;
/// For all of a message that has begun: who announces much and sends nothing must not keep its place.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub(crate) struct MessageMemory {
    left: Arc<AtomicUsize>,
}

impl MessageMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            left: Arc::new(AtomicUsize::new(bytes)),
        }
    }
}

impl<S> Layer<S> for MessageMemory {
    type Service = MessageMemoryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MessageMemoryService {
            inner,
            memory: self.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct MessageMemoryService<S> {
    inner: S,
    memory: MessageMemory,
}

impl<S> Service<Request<Body>> for MessageMemoryService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let share = Arc::new(Share {
            left: Arc::clone(&self.memory.left),
            taken: AtomicUsize::new(0),
        });
        let of_body = Arc::clone(&share);
        let request = request.map(|body| Body::new(Measured::new(body, of_body)));
        Box::pin(async move {
            // Held beyond the body, whose message lives on in the handler.
            let _share = share;
            inner.call(request).await
        })
    }
}

/// What one call has taken of the budget.
#[derive(Debug)]
struct Share {
    left: Arc<AtomicUsize>,
    taken: AtomicUsize,
}

impl Share {
    /// In exchange for what was taken before.
    fn take(&self, bytes: usize) -> bool {
        let bytes = if bytes <= FREE_BYTES { 0 } else { bytes };
        self.give_back();
        let take = |left: usize| left.checked_sub(bytes);
        let taken = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        if taken.is_ok() {
            self.taken.store(bytes, Ordering::Release);
        }
        taken.is_ok()
    }

    fn give_back(&self) {
        let taken = self.taken.swap(0, Ordering::AcqRel);
        self.left.fetch_add(taken, Ordering::AcqRel);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// A body whose messages are announced to the budget.
struct Measured {
    inner: Body,
    share: Arc<Share>,
    prefix: [u8; PREFIX_BYTES],
    /// Bytes of the prefix that have come.
    prefix_len: usize,
    /// Bytes of the message that have not.
    missing: usize,
    /// Of a message that has begun and is not whole.
    time_is_up: Option<Pin<Box<Sleep>>>,
}

impl Measured {
    fn new(inner: Body, share: Arc<Share>) -> Self {
        Self {
            inner,
            share,
            prefix: [0; PREFIX_BYTES],
            prefix_len: 0,
            missing: 0,
            time_is_up: None,
        }
    }

    /// Whether all messages that begin in `data` have their place.
    fn measure(&mut self, mut data: &[u8]) -> bool {
        while !data.is_empty() {
            if self.missing > 0 {
                let skipped = self.missing.min(data.len());
                data.advance(skipped);
                self.missing -= skipped;
                continue;
            }
            self.prefix[self.prefix_len] = data[0];
            data.advance(1);
            self.prefix_len += 1;
            if self.prefix_len == PREFIX_BYTES {
                self.prefix_len = 0;
                let [_, length @ ..] = self.prefix;
                self.missing = u32::from_be_bytes(length) as usize;
                // A message of its own has time of its own, also where the last one ended in the same frame.
                self.time_is_up = None;
                // One that is longer than any may be is refused by its decoder, which never reads it.
                if !self.share.take(self.missing.min(MOST_MESSAGE_BYTES)) {
                    return false;
                }
            }
        }
        true
    }
}

/// What a generated server takes.
const MOST_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && !self.measure(data)
        {
            let error = ApiError::Overloaded {
                message:
                    "the server holds as many bytes of messages as it may; try again in a moment"
                        .to_owned(),
                retry_after: RETRY_AFTER,
            };
            return Poll::Ready(Some(Err(error.into())));
        }
        if self.missing == 0 {
            self.time_is_up = None;
        } else if polled.is_pending() {
            let patience = || Box::pin(tokio::time::sleep(PATIENCE));
            let time_is_up = self.time_is_up.get_or_insert_with(patience);
            if time_is_up.as_mut().poll(cx).is_ready() {
                let error = ApiError::DeadlineExceeded { deadline: PATIENCE };
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u32) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.extend(vec![7; length as usize]);
        bytes
    }

    fn measured(memory: &MessageMemory) -> Measured {
        let share = Share {
            left: Arc::clone(&memory.left),
            taken: AtomicUsize::new(0),
        };
        Measured::new(Body::empty(), Arc::new(share))
    }

    /// Says so much, and then nothing.
    struct Silent(Option<Vec<u8>>);

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = Status;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
            match self.0.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes.into())))),
                None => Poll::Pending,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_does_not_come_loses_its_place_and_silence_between_messages_does_not() {
        let memory = MessageMemory::new(100_000);
        let begun = |bytes: &[u8]| {
            let mut body = measured(&memory);
            body.inner = Body::new(Silent(Some(bytes.to_vec())));
            body
        };
        let mut part = begun(&message(50_000)[..9]);
        let mut whole = begun(&message(9));
        assert!(has_more(&mut part).await && has_more(&mut whole).await);
        for (passed, ended) in [(0, false), (59, false), (2, true)] {
            tokio::time::advance(Duration::from_secs(passed)).await;
            assert_eq!(has_more(&mut part).await, ended, "{passed}");
            assert!(!has_more(&mut whole).await, "{passed}");
        }
    }

    /// A frame, or the end.
    async fn has_more(body: &mut Measured) -> bool {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
        futures::poll!(frame).is_ready()
    }

    #[test]
    fn a_message_takes_its_length_whatever_the_cuts_and_the_next_takes_its_place() {
        let left = |memory: &MessageMemory| memory.left.load(Ordering::Acquire);
        for cut in [1, 3, 5, 6, 40_000] {
            let memory = MessageMemory::new(100_000);
            let mut body = measured(&memory);
            let stream = [
                message(60_000),
                message(0),
                message(20_000),
                message(50_000),
            ]
            .concat();
            for piece in stream.chunks(cut) {
                assert!(body.measure(piece));
            }
            assert_eq!(left(&memory), 50_000, "{cut}");
            let mut other = measured(&memory);
            assert!(!other.measure(&message(60_000)), "{cut}");
            drop(body);
            assert!(measured(&memory).measure(&message(60_000)), "{cut}");
            drop(other);
            assert_eq!(left(&memory), 100_000, "{cut}");
        }
    }
}
