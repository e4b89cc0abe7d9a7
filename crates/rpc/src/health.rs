//! Health of a server and of each of its services, as `grpc.health.v1` tells it.

use std::time::Duration;

use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus as Told;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;

use crate::{ChannelOptions, ClientError, connect_lazy};

/// Switches what health checks are told. Everything starts as NOT_SERVING: tonic-health would begin with SERVING, and a
/// load balancer would send calls before there is anybody to answer.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
    services: Vec<&'static str>,
}

/// The server as a whole.
const WHOLE: &str = "";

impl Health {
    pub(crate) fn new(reporter: HealthReporter, services: Vec<&'static str>) -> Self {
        Self { reporter, services }
    }

    /// The server and all its services take calls.
    pub async fn serving(&self) {
        self.set_all(ServingStatus::Serving).await;
    }

    /// Nothing takes calls: at start, while a dependency does not answer, and from the beginning of a drain.
    pub async fn not_serving(&self) {
        self.set_all(ServingStatus::NotServing).await;
    }

    async fn set_all(&self, status: ServingStatus) {
        for service in self.services.iter().chain([&WHOLE]) {
            self.reporter.set_service_status(*service, status).await;
        }
    }
}

/// How long a server may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the server at `address` takes calls.
pub async fn is_serving(address: &str) -> Result<bool, ClientError> {
    is_serving_over(address, &ChannelOptions::default()).await
}

/// As [`is_serving`], reached in a way of its own.
pub async fn is_serving_over(address: &str, options: &ChannelOptions) -> Result<bool, ClientError> {
    let channel = connect_lazy(address, options)
        .map_err(|error| ClientError::from(tonic::Status::invalid_argument(error.to_string())))?;
    let mut request = tonic::Request::new(HealthCheckRequest {
        service: WHOLE.to_owned(),
    });
    request.set_timeout(PATIENCE);
    let answer = HealthClient::new(channel).check(request).await?;
    Ok(answer.into_inner().status() == Told::Serving)
}
