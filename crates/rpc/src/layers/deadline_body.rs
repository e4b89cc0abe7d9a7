//! The body of an answer that ends with DEADLINE_EXCEEDED when its time is up.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

use crate::ApiError;

pub(super) struct DeadlineBody {
    inner: Body,
    time_is_up: Pin<Box<Sleep>>,
    /// Taken when the end was sent.
    error: Option<ApiError>,
}

impl DeadlineBody {
    pub(super) fn new(inner: Body, until: Instant, error: ApiError) -> Self {
        Self {
            inner,
            time_is_up: Box::pin(tokio::time::sleep_until(until)),
            error: Some(error),
        }
    }
}

impl HttpBody for DeadlineBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.error.is_none() {
            return Poll::Ready(None);
        }
        // What is ready goes out first: an answer that was there in time counts.
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if self.time_is_up.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let mut trailers = HeaderMap::new();
        if let Some(error) = self.error.take() {
            Status::from(error).add_header(&mut trailers)?;
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.error.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
