//! The server's span of every call, under the caller's trace where it sent one.

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;
use tracing::field::Empty;

use super::{Answer, take_ready};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace;

impl<S> Layer<S> for Trace {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceService { inner }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct TraceService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for TraceService<S>
where
    S: Service<Request<B>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = request.uri().path().trim_start_matches('/');
        // OpenTelemetry's RPC conventions: the span is named after the full method.
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.status_code = Empty,
        );
        if let Some(parent) = request.headers().get("traceparent")
            && let Ok(parent) = parent.to_str()
        {
            kycc_telemetry::continue_from(&span, parent);
        }
        let mut inner = take_ready(&mut self.inner);
        let call = async move {
            let answer = inner.call(request).await;
            if let Ok(answer) = &answer {
                tracing::Span::current().record("rpc.status_code", status_code(answer));
            }
            answer
        };
        Box::pin(call.instrument(span))
    }
}

/// What the headers say; a call that fails after its first message says so in trailers, which come later.
fn status_code(answer: &Response<Body>) -> String {
    tonic::Status::from_header_map(answer.headers()).map_or_else(
        || "OK".to_owned(),
        |status| crate::client_error::code_name(status.code()).to_owned(),
    )
}
