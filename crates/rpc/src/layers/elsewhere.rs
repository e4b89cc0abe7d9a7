//! Passes calls on to the process that has the service, so that every process is a front door to the whole fleet.
//!
//! Bytes go through as they are, in both directions, streams included. One hop at most: two processes that each take the
//! other for the owner must not play ball.

use std::task::{Context, Poll};

use http::{HeaderName, Request, Response};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt};

use super::{Answer, refuse};
use crate::{ApiError, Peer, Peers, pass_on};

const FORWARDED: HeaderName = HeaderName::from_static(crate::FORWARDED);

#[derive(Debug, Clone)]
pub(crate) struct Elsewhere {
    peers: Peers,
}

impl Elsewhere {
    pub(crate) fn new(peers: Peers) -> Self {
        Self { peers }
    }
}

impl<S> Layer<S> for Elsewhere {
    type Service = ElsewhereService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ElsewhereService {
            inner,
            peers: self.peers.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ElsewhereService<S> {
    inner: S,
    peers: Peers,
}

impl<S> Service<Request<Body>> for ElsewhereService<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = request.uri().path().split('/').nth(1).unwrap_or_default();
        match self.peers.get(service) {
            None => Box::pin(self.inner.call(request)),
            Some(_) if request.headers().contains_key(FORWARDED) => {
                let message = format!(
                    "this process has no {service}, and was asked for it by one that has none either; check the peers of both"
                );
                let error = ApiError::precondition("NOT_HERE", message);
                Box::pin(async move { Ok(refuse(error)) })
            }
            Some(peer) => {
                let peer = peer.clone();
                Box::pin(async move { Ok(forward(peer, request).await) })
            }
        }
    }
}

async fn forward(peer: Peer, mut request: Request<Body>) -> Response<Body> {
    let mut headers = std::mem::take(request.headers_mut());
    pass_on(request.extensions(), &mut headers);
    kycc_telemetry::inject(&tracing::Span::current(), &mut headers);
    *request.headers_mut() = headers;
    let Peer {
        service,
        address,
        channel,
    } = peer;
    match channel.oneshot(request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(service, address, error = %kycc_telemetry::chain(&error), "a peer does not answer");
            let message = format!("the service {service} at {address} does not answer");
            refuse(ApiError::unavailable("PEER_UNREACHABLE", message))
        }
    }
}
