//! The services of one server, with health and reflection for them.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};

use crate::{Health, Peers, ServerError};

/// Collects services; every one of them appears in health and in reflection.
///
/// A generated server takes messages of 4 MiB and refuses larger ones (a test holds it to that): bulk data travels
/// through the lake or in a stream, never in one message.
#[derive(Debug, Default)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Services {
    pub fn add<S>(&mut self, server: S)
    where
        S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(server);
    }

    /// Full names, e.g. `kycc.scoring.v1.ScoringService`, in the order in which they were added.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(super) async fn into_routes(self, peers: &Peers) -> Result<(Routes, Health), ServerError> {
        let Self { mut routes, names } = self;
        let (reporter, health_server) = tonic_health::server::health_reporter();
        routes.add_service(health_server);
        let failed = |source| ServerError::Reflection { source };
        let answered: Vec<&'static str> = names.iter().copied().chain(peers.names()).collect();
        routes.add_service(reflection(&answered).build_v1().map_err(failed)?);
        // grpcurl up to 1.8 and older libraries know this version alone.
        routes.add_service(reflection(&answered).build_v1alpha().map_err(failed)?);
        let health = Health::new(reporter, names);
        health.not_serving().await;
        Ok((routes.routes().prepare(), health))
    }
}

/// Describes every contract, but lists the services that this process answers for.
fn reflection(names: &[&'static str]) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(kycc_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    names
        .iter()
        .fold(builder, |builder, name| builder.with_service_name(*name))
}
