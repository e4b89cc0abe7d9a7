//! One caller's share: so many calls a second, so many at a time. One who asks for more is told when to come back, before
//! anybody else notices.
//!
//! Like the server's own limit it lets go of a call when its answer begins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, refuse, take_ready};
use crate::auth::{Bucket, LimitedBy, Throttle};
use crate::{ApiError, CallerLimits};

/// Callers whose rate is kept; beyond, newcomers share one.
const MOST_CALLERS: usize = 10_000;
const RETRY_AFTER: Duration = Duration::from_millis(200);

#[derive(Debug, Clone)]
pub(crate) struct LimitCallers(Option<Limit>);

#[derive(Debug, Clone)]
struct Limit {
    limits: CallerLimits,
    rate: Throttle<LimitedBy>,
    /// Whoever has no call at work is not in it, so the server's own limit bounds it.
    at_work: Arc<Mutex<HashMap<LimitedBy, usize>>>,
}

impl LimitCallers {
    pub(crate) fn new(limits: Option<CallerLimits>) -> Self {
        Self(limits.map(|limits| Limit {
            rate: Throttle::new(
                Bucket::new(f64::from(limits.calls_per_second.max(1)), limits.burst),
                MOST_CALLERS,
            ),
            limits,
            at_work: Arc::default(),
        }))
    }
}

impl Limit {
    fn admit(&self, caller: LimitedBy) -> Result<AtWork, ApiError> {
        let CallerLimits {
            calls_per_second,
            concurrent_calls,
            ..
        } = self.limits;
        self.rate.take(&caller, Instant::now()).map_err(|wait| {
            too_many(format!("more than {calls_per_second} calls a second"), wait)
        })?;
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = at_work.entry(caller.clone()).or_default();
        if *calls >= concurrent_calls {
            let text = format!("more than {concurrent_calls} calls at the same time");
            return Err(too_many(text, RETRY_AFTER));
        }
        *calls += 1;
        Ok(AtWork {
            caller,
            table: Arc::clone(&self.at_work),
        })
    }
}

fn too_many(what: String, retry_after: Duration) -> ApiError {
    ApiError::Overloaded {
        message: format!("{what} came from this caller; slow down, and repeat the call then"),
        retry_after,
    }
}

struct AtWork {
    caller: LimitedBy,
    table: Arc<Mutex<HashMap<LimitedBy, usize>>>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = table.get_mut(&self.caller) {
            *calls -= 1;
            if *calls == 0 {
                table.remove(&self.caller);
            }
        }
    }
}

impl<S> Layer<S> for LimitCallers {
    type Service = LimitCallersService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LimitCallersService {
            inner,
            limit: self.0.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct LimitCallersService<S> {
    inner: S,
    limit: Option<Limit>,
}

impl<S, B> Service<Request<B>> for LimitCallersService<S>
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
        let caller = request.extensions().get::<LimitedBy>();
        let admitted = match (&self.limit, caller) {
            (Some(limit), Some(caller)) if *caller != LimitedBy::Nothing => {
                limit.admit(caller.clone()).map(Some)
            }
            _ => Ok(None),
        };
        Box::pin(async move {
            match admitted {
                Ok(_at_work) => inner.call(request).await,
                Err(error) => Ok(refuse(error)),
            }
        })
    }
}
