//! Calls that move runs are the leader's: a process that does not lead passes them on, once.

use kycc_proto::orchestrator::v1::orchestrator_service_client::OrchestratorServiceClient;
use kycc_rpc::{ApiError, ClientError, FORWARDED, connect_lazy, pass_on};
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Extensions, Request, Status};

use super::Api;
use crate::engine::Seat;

/// Of the connection that the call came on, not of the call.
const OF_THE_CONNECTION: [&str; 4] = [
    "user-agent",
    "grpc-encoding",
    "grpc-accept-encoding",
    "connection",
];

pub(super) enum Place {
    Here,
    Leader(OrchestratorServiceClient<Channel>),
}

impl Api {
    /// Where the call is to be answered.
    pub(super) async fn place<T>(&self, request: &Request<T>) -> Result<Place, ApiError> {
        match self.engine.seat().await {
            Seat::Here => Ok(Place::Here),
            Seat::Nowhere => Err(ApiError::precondition(
                "READ_ONLY_PROCESS",
                "this process was started to read only and moves no runs; start `kycc dev`, or use `kycc job execute`",
            )),
            // Who gets a call that was passed on and does not lead passes it on to nobody: the caller asks again, and finds
            // the new leader.
            Seat::There(address) if !request.metadata().contains_key(FORWARDED) => {
                let channel = self.leader_channel(&address)?;
                Ok(Place::Leader(OrchestratorServiceClient::new(channel)))
            }
            Seat::There(_) | Seat::Vacant => Err(ApiError::unavailable(
                "NO_LEADER",
                "no orchestrator leads at this moment; ask again in a second",
            )),
        }
    }

    /// Kept as long as the leader stays where it is.
    fn leader_channel(&self, address: &str) -> Result<Channel, ApiError> {
        let mut known = self
            .leader
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((at, channel)) = known.as_ref()
            && at == address
        {
            return Ok(channel.clone());
        }
        let channel = connect_lazy(address, &self.peer_options)
            .map_err(|error| ApiError::internal(&error))?;
        *known = Some((address.to_owned(), channel.clone()));
        Ok(channel)
    }
}

/// The same call, from the same caller, under the same deadline, as a child of this process's span.
pub(super) fn forwarded<T>(request: Request<T>) -> Request<T> {
    let (mut metadata, extensions, message) = request.into_parts();
    for name in OF_THE_CONNECTION {
        metadata.remove(name);
    }
    pass_on(&extensions, metadata.as_mut());
    let span = tracing::Span::current();
    kycc_telemetry::inject(&span, metadata.as_mut());
    Request::from_parts(metadata, Extensions::default(), message)
}

/// The leader's own words; where it said nothing, that it may be asked again.
pub(super) fn told(status: Status) -> Status {
    let seen = ClientError::from(status.clone());
    if !seen.is_transient() || seen.retry_after().is_some() {
        return without_headers(status);
    }
    tracing::warn!(error = %seen, "the leader did not answer a call that was passed on");
    ApiError::unavailable(
        "LEADER_UNREACHABLE",
        "the leading orchestrator does not answer; ask again, with the same request id",
    )
    .into()
}

/// Headers of the leader's answer belong to the connection that it came on.
fn without_headers(status: Status) -> Status {
    let details = status.details().to_vec().into();
    Status::with_details_and_metadata(status.code(), status.message(), details, MetadataMap::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_passed_on_keeps_its_deadline_and_trace_and_no_credentials() {
        let mut request = Request::new(7);
        let given = [
            ("grpc-timeout", "5S"),
            (
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ),
            ("user-agent", "somebody"),
            ("authorization", "Bearer x"),
        ];
        for (name, value) in given {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        let passed_on = forwarded(request);
        for (name, value) in &given[..2] {
            assert_eq!(passed_on.metadata().get(*name).unwrap(), value, "{name}");
        }
        for (name, _) in &given[2..] {
            assert!(!passed_on.metadata().contains_key(*name), "{name}");
        }
        assert!(passed_on.metadata().contains_key(FORWARDED));
        assert_eq!(passed_on.into_inner(), 7);
    }

    #[test]
    fn what_the_leader_says_is_passed_back_and_its_silence_may_be_repeated() {
        let refused: Status = ApiError::precondition("NOT_NOW", "wait").into();
        let seen = ClientError::from(told(refused));
        assert_eq!((seen.reason(), seen.message()), ("NOT_NOW", "wait"));
        let silent = ClientError::from(told(Status::unavailable("tcp connect error")));
        assert_eq!(silent.reason(), "LEADER_UNREACHABLE");
        assert!(silent.retry_after().is_some());
    }
}
