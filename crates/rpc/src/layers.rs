//! The layers of the server, one per file; [`crate::server`] says in which order and why.

mod admission;
mod authenticate;
mod authorize;
mod catch_panic;
mod deadline;
mod deadline_body;
mod elsewhere;
mod limit_callers;
mod message_memory;
mod trace;

pub(crate) use admission::Admission;
pub(crate) use authenticate::Authenticate;
pub(crate) use authorize::Authorize;
pub(crate) use catch_panic::CatchPanic;
pub(crate) use deadline::Deadline;
pub(crate) use elsewhere::Elsewhere;
pub(crate) use limit_callers::LimitCallers;
pub(crate) use message_memory::MessageMemory;
pub(crate) use trace::Trace;

use std::future::Future;
use std::pin::Pin;

use http::Response;
use tonic::Status;
use tonic::body::Body;

use crate::ApiError;

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

/// An answer that a layer gives instead of the service.
fn refuse(error: ApiError) -> Response<Body> {
    Status::from(error).into_http()
}

/// The service that was polled ready, leaving a clone for the next call.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    std::mem::replace(inner, clone)
}
