//! From here on the request carries its [`Caller`] and [`Principal`](crate::Principal). Who shows nothing passes as nobody:
//! whether that is enough is decided by [`Authorize`](super::Authorize).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, refuse, take_ready};
use crate::auth::{Authenticator, Caller, Rule, rule};
use crate::server::Origin;

#[derive(Debug, Clone)]
pub(crate) struct Authenticate {
    authenticator: Arc<Authenticator>,
}

impl Authenticate {
    pub(crate) fn new(authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator }
    }
}

impl<S> Layer<S> for Authenticate {
    type Service = AuthenticateService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthenticateService {
            inner,
            authenticator: Arc::clone(&self.authenticator),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AuthenticateService<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
}

impl<S, B> Service<Request<B>> for AuthenticateService<S>
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
        let authenticator = Arc::clone(&self.authenticator);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let path = parts.uri.path();
            if rule(path) == Rule::Open {
                parts.extensions.insert(Caller::nobody());
                return inner.call(Request::from_parts(parts, body)).await;
            }
            let origin = parts.extensions.get::<Origin>();
            let known = authenticator.authenticate(origin, path, &mut parts.headers);
            match known.await {
                Ok(known) => {
                    parts.extensions.insert(known.caller.principal.clone());
                    parts.extensions.insert(known.caller);
                    parts.extensions.insert(known.limited_by);
                    if let Some(pass_on) = known.pass_on {
                        parts.extensions.insert(pass_on);
                    }
                    inner.call(Request::from_parts(parts, body)).await
                }
                Err(error) => Ok(refuse(error)),
            }
        })
    }
}
