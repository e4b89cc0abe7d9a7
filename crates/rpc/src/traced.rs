//! Requests that carry the caller's trace, so that what the server does shows under it.

use tonic::Request;

/// A request with the context of the current span in its metadata.
pub fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let headers = request.metadata_mut().as_mut();
    kycc_telemetry::inject(&tracing::Span::current(), headers);
    request
}
