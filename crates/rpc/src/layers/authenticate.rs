//! The seam of authentication: whoever calls, the request carries a [`Principal`] from here on.
//!
//! Without configured authentication a server listens on loopback only, and takes every caller for the user who
//! started it.

use std::task::{Context, Poll};

use http::Request;
use tower::{Layer, Service};

use crate::Principal;

#[derive(Debug, Clone)]
pub(crate) struct Authenticate {
    local: Principal,
}

impl Authenticate {
    pub(crate) fn new(local: Principal) -> Self {
        Self { local }
    }
}

impl<S> Layer<S> for Authenticate {
    type Service = AuthenticateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthenticateService {
            inner,
            local: self.local.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AuthenticateService<S> {
    inner: S,
    local: Principal,
}

impl<S, B> Service<Request<B>> for AuthenticateService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.local.clone());
        self.inner.call(request)
    }
}
