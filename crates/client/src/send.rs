//! One call: credentials and deadline on it, and made again where that is safe and may help.

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use kycc_rpc::ClientError;
use rand::RngExt as _;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};

use crate::method::{Method, method};
use crate::{Client, ClientOptions, RetryOptions, deadline};

/// In the extensions of a request: making the call twice does no more than making it once.
#[derive(Debug, Clone, Copy)]
pub struct Idempotent;

/// The request of a call that changes something and may be made again: because it carries a `request_id`, or because
/// doing so twice is harmless.
pub fn idempotent<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.extensions_mut().insert(Idempotent);
    request
}

type Sent = Result<Response<Body>, tonic::transport::Error>;

impl Service<Request<Body>> for Client {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Sent> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Each attempt waits for the channel itself.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move { client.send(request).await })
    }
}

impl Client {
    async fn send(&self, mut request: Request<Body>) -> Sent {
        if let Some(bearer) = self.bearer.header() {
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let method = method(request.uri().path());
        let ends = ends(&request, method, &self.options);
        let again = method.reads || request.extensions().get::<Idempotent>().is_some();
        if method.sends_stream || !again || self.options.retry.max_attempts <= 1 {
            if let Some(ends) = ends {
                deadline::set(request.headers_mut(), left(ends));
            }
            return self.channel.clone().oneshot(request).await;
        }
        let (parts, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body,
            // The caller's own encoder failed, and says how.
            Err(status) => return Ok(status.into_http()),
        };
        let call = Call {
            channel: self.channel.clone(),
            parts,
            body: body.to_bytes(),
            ends,
        };
        self.attempts(&call).await
    }

    async fn attempts(&self, call: &Call) -> Sent {
        let retry = &self.options.retry;
        let mut attempt = 1;
        loop {
            let sent = call.attempt().await;
            let Some(wish) = may_pass(&sent) else {
                if succeeded(&sent) {
                    self.budget.earn();
                }
                return sent;
            };
            // Those who were told the same time do not come back at the same moment.
            let pause = wish.map_or_else(
                || pause(retry, attempt),
                |wish| wish.mul_f64(chance(1.0..=1.5)),
            );
            let in_time = call.ends.is_none_or(|ends| left(ends) > pause);
            if attempt >= retry.max_attempts || !in_time || !self.budget.spend() {
                return sent;
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

struct Call {
    channel: Channel,
    parts: Parts,
    body: Bytes,
    ends: Option<Instant>,
}

impl Call {
    async fn attempt(&self) -> Sent {
        let body = Body::new(Full::new(self.body.clone()));
        let mut request = Request::from_parts(self.parts.clone(), body);
        if let Some(ends) = self.ends {
            deadline::set(request.headers_mut(), left(ends));
        }
        self.channel.clone().oneshot(request).await
    }
}

fn ends(request: &Request<Body>, method: Method, options: &Arc<ClientOptions>) -> Option<Instant> {
    let streams = method.sends_stream || method.answers_stream;
    let usual = (!streams).then_some(options.deadline);
    let time = deadline::given(request.headers()).or(usual)?;
    Some(Instant::now() + time)
}

fn left(ends: Instant) -> Duration {
    ends.saturating_duration_since(Instant::now())
}

/// Whether the call failed in a way that may pass, and when the server wants to be asked again. An answer that has begun
/// is the caller's.
fn may_pass(sent: &Sent) -> Option<Option<Duration>> {
    match sent {
        Err(_) => Some(None),
        Ok(answer) => {
            let status = Status::from_header_map(answer.headers())?;
            let error = ClientError::from(status);
            error.is_transient().then(|| error.retry_after())
        }
    }
}

/// As far as the headers tell: an answer that has begun counts as one.
fn succeeded(sent: &Sent) -> bool {
    let Ok(answer) = sent else { return false };
    let status = Status::from_header_map(answer.headers());
    status.is_none_or(|status| status.code() == Code::Ok)
}

fn chance(range: RangeInclusive<f64>) -> f64 {
    rand::rng().random_range(range)
}

fn pause(retry: &RetryOptions, attempt: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
    let whole = retry
        .first_pause
        .saturating_mul(doubled)
        .min(retry.longest_pause);
    whole.mul_f64(chance(0.5..=1.0))
}
