//! While a method runs, [`crate::page_token`] knows which it is.

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, take_ready};
use crate::page;

#[derive(Debug, Clone, Copy)]
pub(crate) struct InMethod;

impl<S> Layer<S> for InMethod {
    type Service = InMethodService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        InMethodService { inner }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct InMethodService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for InMethodService<S>
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
        let mut inner = take_ready(&mut self.inner);
        let method = request.uri().path().to_owned();
        Box::pin(page::METHOD.scope(method, async move { inner.call(request).await }))
    }
}
