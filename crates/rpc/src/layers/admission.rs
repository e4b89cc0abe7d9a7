//! Shed and limit: so many calls at work, so many waiting, the rest turned away at once with a hint to come back.
//!
//! A place is held until the answer begins. A stream of run events lasts for hours and costs nothing meanwhile; it must
//! not keep others out.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Answer, refuse, take_ready};
use crate::ApiError;

const RETRY_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub(crate) struct Admission {
    /// At work or waiting.
    admitted: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl Admission {
    pub(crate) fn new(max_in_flight: usize, max_waiting: usize) -> Self {
        Self {
            admitted: Arc::new(Semaphore::new(max_in_flight + max_waiting)),
            at_work: Arc::new(Semaphore::new(max_in_flight)),
        }
    }
}

impl<S> Layer<S> for Admission {
    type Service = AdmissionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AdmissionService {
            inner,
            admission: self.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AdmissionService<S> {
    inner: S,
    admission: Admission,
}

impl<S, B> Service<Request<B>> for AdmissionService<S>
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
        let Ok(admitted) = Arc::clone(&self.admission.admitted).try_acquire_owned() else {
            let error = ApiError::Overloaded {
                message: "the server has as many calls as it can take; try again in a moment"
                    .to_owned(),
                retry_after: RETRY_AFTER,
            };
            return Box::pin(async move { Ok(refuse(error)) });
        };
        let at_work = Arc::clone(&self.admission.at_work);
        Box::pin(async move {
            let _admitted = admitted;
            // Fails only when closed, which nobody does.
            let _place = at_work.acquire_owned().await;
            inner.call(request).await
        })
    }
}
