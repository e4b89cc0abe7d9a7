//! Whether the caller's roles suffice for the method, by the one table of [`crate::METHODS`].

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, refuse};
use crate::ApiError;
use crate::auth::{Caller, Rule, rule};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Authorize;

impl<S> Layer<S> for Authorize {
    type Service = AuthorizeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthorizeService { inner }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AuthorizeService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for AuthorizeService<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let caller = request.extensions().get::<Caller>();
        match judge(request.uri().path(), caller) {
            None => Box::pin(self.inner.call(request)),
            Some(error) => Box::pin(async move { Ok(refuse(error)) }),
        }
    }
}

/// Why not.
fn judge(path: &str, caller: Option<&Caller>) -> Option<ApiError> {
    let Rule::AtLeast(needed) = rule(path) else {
        return None;
    };
    let nobody = Caller::nobody();
    let caller = caller.unwrap_or(&nobody);
    if caller.may(needed) {
        return None;
    }
    let method = path.trim_start_matches('/');
    if *caller == nobody {
        return Some(ApiError::Unauthenticated {
            message: format!(
                "{method} is not for everybody; send `authorization: Bearer <token or API key>`, or come with a client certificate that is known here"
            ),
        });
    }
    let Caller {
        principal, roles, ..
    } = caller;
    Some(ApiError::PermissionDenied {
        message: format!("{method} needs the role {needed}; the roles of {principal} are: {roles}"),
    })
}
