//! The server with all its layers, called over TCP.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test awaits what it spawns, and one that cannot be set up has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::source_service_server::{SourceService, SourceServiceServer};
use kycc_proto::work::v1::{ObserveRequest, ObserveResponse, SourceVersion};
use kycc_rpc::{
    ApiError, ChannelOptions, ClientError, Principal, RunningServer, ServerOptions, Services,
    principal,
};
use tokio::io::AsyncReadExt;
use tokio::sync::{Notify, Semaphore};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const SOON: Duration = Duration::from_secs(10);
const NAME: &str = "kycc.work.v1.SourceService";

/// Does what the source's name says.
#[derive(Clone)]
struct Acting {
    entered: Arc<Notify>,
    leave: Arc<Semaphore>,
}

#[tonic::async_trait]
impl SourceService for Acting {
    async fn observe(
        &self,
        request: Request<ObserveRequest>,
    ) -> Result<Response<ObserveResponse>, Status> {
        let caller = principal(&request);
        let digest = match request.into_inner().source.as_str() {
            "panic" => panic!("the handler's own secret"),
            "for ever" => std::future::pending().await,
            "wait" => {
                self.entered.notify_one();
                self.leave.acquire().await.unwrap().forget();
                "waited".to_owned()
            }
            "refuse" => return Err(ApiError::invalid("source", "is refused").into()),
            "trace" => kycc_telemetry::current_trace_id(),
            _ => caller.to_string(),
        };
        Ok(Response::new(ObserveResponse {
            version: Some(SourceVersion {
                digest,
                ..SourceVersion::default()
            }),
        }))
    }
}

struct Fixture {
    server: RunningServer,
    acting: Acting,
    channel: Channel,
}

async fn start(options: ServerOptions) -> Fixture {
    let acting = Acting {
        entered: Arc::new(Notify::new()),
        leave: Arc::new(Semaphore::new(0)),
    };
    let mut services = Services::default();
    services.add(SourceServiceServer::new(acting.clone()));
    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = bound.addr().to_string();
    let server = bound.serve(services, options).await.unwrap();
    Fixture {
        server,
        acting,
        channel: kycc_rpc::connect_lazy(&address, &ChannelOptions::default()).unwrap(),
    }
}

async fn observe(channel: &Channel, source: &str) -> Result<String, ClientError> {
    call(channel, request(source)).await
}

fn request(source: &str) -> Request<ObserveRequest> {
    Request::new(ObserveRequest {
        source: source.to_owned(),
        ..ObserveRequest::default()
    })
}

async fn call(channel: &Channel, request: Request<ObserveRequest>) -> Result<String, ClientError> {
    let answer = SourceServiceClient::new(channel.clone())
        .observe(request)
        .await?;
    Ok(answer.into_inner().version.unwrap().digest)
}

#[tokio::test]
async fn a_panic_answers_its_caller_and_leaves_the_connection_alone() {
    let _ = kycc_telemetry::init("off", kycc_telemetry::Format::Text);
    let fixture = start(ServerOptions::default()).await;
    let error = observe(&fixture.channel, "panic").await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(!error.message().contains("secret"), "{error}");
    let trace_id = error.metadata("trace_id").unwrap();
    assert_eq!(trace_id.len(), 32, "{error}");
    assert!(error.message().contains(trace_id), "{error}");
    observe(&fixture.channel, "hello").await.unwrap();
}

#[tokio::test]
async fn the_caller_is_the_local_principal() {
    let options = ServerOptions {
        local_principal: Principal::new("ada"),
        ..ServerOptions::default()
    };
    let fixture = start(options).await;
    assert_eq!(observe(&fixture.channel, "hello").await.unwrap(), "ada");
}

#[tokio::test]
async fn an_error_arrives_with_its_field() {
    let fixture = start(ServerOptions::default()).await;
    let error = observe(&fixture.channel, "refuse").await.unwrap_err();
    assert_eq!(error.violations()[0].field, "source");
}

#[tokio::test]
async fn a_message_beyond_four_mebibytes_is_refused() {
    let fixture = start(ServerOptions::default()).await;
    let error = observe(&fixture.channel, &"x".repeat(5 << 20))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange);
    observe(&fixture.channel, &"x".repeat(3 << 20))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_call_past_its_deadline_is_told_so_and_not_cancelled() {
    let fixture = start(ServerOptions::default()).await;
    let mut request = request("for ever");
    request.set_timeout(Duration::from_millis(80));
    let error = call(&fixture.channel, request).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(error.reason(), "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn the_server_itself_answers_deadline_exceeded() {
    // A client without a timer of its own, so that the answer can only be the server's.
    let fixture = start(ServerOptions::default()).await;
    let mut request = request("for ever");
    let timeout = "80m".parse().unwrap();
    request.metadata_mut().insert("grpc-timeout", timeout);
    let error = call(&fixture.channel, request).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert_eq!(error.metadata("deadline_ms"), Some("80"), "{error:?}");
}

#[tokio::test]
async fn a_stream_past_its_deadline_ends_with_it() {
    let fixture = start(ServerOptions::default()).await;
    let mut request = Request::new(HealthCheckRequest::default());
    let timeout = "300m".parse().unwrap();
    request.metadata_mut().insert("grpc-timeout", timeout);
    let watch = HealthClient::new(fixture.channel)
        .watch(request)
        .await
        .unwrap();
    let mut stream = watch.into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let error = ClientError::from(stream.message().await.unwrap_err());
    assert_eq!(error.reason(), "DEADLINE_EXCEEDED");
    assert_eq!(error.metadata("deadline_ms"), Some("300"));
}

async fn start_bounded(max_in_flight: usize, max_waiting: usize) -> Fixture {
    start(ServerOptions {
        max_in_flight,
        max_waiting,
        ..ServerOptions::default()
    })
    .await
}

#[tokio::test]
async fn a_call_without_a_place_is_turned_away_at_once_and_told_when_to_return() {
    let fixture = start_bounded(1, 0).await;
    let channel = fixture.channel.clone();
    let first = tokio::spawn(async move { observe(&channel, "wait").await });
    fixture.acting.entered.notified().await;
    let error = observe(&fixture.channel, "hello").await.unwrap_err();
    assert_eq!(error.reason(), "OVERLOADED");
    assert!(error.retry_after().is_some());
    fixture.acting.leave.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap(), "waited");
    observe(&fixture.channel, "hello")
        .await
        .expect("the place is free again");
}

#[tokio::test]
async fn a_call_waits_where_there_is_room_to_wait() {
    let fixture = start_bounded(1, 1).await;
    let channel = fixture.channel.clone();
    let first = tokio::spawn(async move { observe(&channel, "wait").await });
    fixture.acting.entered.notified().await;
    let channel = fixture.channel.clone();
    let second = tokio::spawn(async move { observe(&channel, "wait").await });
    fixture.acting.leave.add_permits(2);
    assert_eq!(first.await.unwrap().unwrap(), "waited");
    assert_eq!(second.await.unwrap().unwrap(), "waited");
}

#[tokio::test]
async fn an_open_stream_holds_no_place() {
    let fixture = start_bounded(1, 0).await;
    let watch = HealthClient::new(fixture.channel.clone())
        .watch(HealthCheckRequest::default())
        .await
        .unwrap();
    observe(&fixture.channel, "hello").await.unwrap();
    drop(watch);
}

#[tokio::test]
async fn the_callers_trace_goes_on_in_the_handler() {
    // Set up once per process; other tests do not mind.
    let _ = kycc_telemetry::init("off", kycc_telemetry::Format::Text);
    let fixture = start(ServerOptions::default()).await;
    let parent = kycc_telemetry::new_root();
    let mut request = request("trace");
    let header = parent.parse().unwrap();
    request.metadata_mut().insert("traceparent", header);
    let seen = call(&fixture.channel, request).await.unwrap();
    assert_eq!(Some(seen), kycc_telemetry::trace_id_of(&parent));
}

#[tokio::test]
async fn a_traced_request_takes_the_callers_span_along() {
    use tracing::Instrument;
    let _ = kycc_telemetry::init("off", kycc_telemetry::Format::Text);
    let fixture = start(ServerOptions::default()).await;
    let message = request("trace").into_inner();
    let in_span = async {
        let ours = kycc_telemetry::current_trace_id();
        let seen = call(&fixture.channel, kycc_rpc::traced(message)).await;
        (ours, seen.unwrap())
    };
    let (ours, seen) = in_span.instrument(tracing::info_span!("caller")).await;
    assert!(!ours.is_empty());
    assert_eq!(ours, seen);
}

async fn status(channel: &Channel, service: &str) -> i32 {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.unwrap().into_inner().status
}

#[tokio::test]
async fn health_begins_as_not_serving_and_follows_per_service() {
    use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};
    let fixture = start(ServerOptions::default()).await;
    for service in ["", NAME] {
        assert_eq!(
            status(&fixture.channel, service).await,
            i32::from(NotServing as u8)
        );
    }
    fixture.server.health().serving().await;
    for service in ["", NAME] {
        assert_eq!(
            status(&fixture.channel, service).await,
            i32::from(Serving as u8)
        );
    }
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions() {
    let fixture = start(ServerOptions::default()).await;
    assert!(list_v1(&fixture.channel).await.contains(&NAME.to_owned()));
    assert!(
        list_v1alpha(&fixture.channel)
            .await
            .contains(&NAME.to_owned())
    );
    let others = "kycc.scoring.v1.ScoringService".to_owned();
    assert!(
        !list_v1(&fixture.channel).await.contains(&others),
        "not in this process"
    );
}

macro_rules! list {
    ($name:ident, $version:ident) => {
        async fn $name(channel: &Channel) -> Vec<String> {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = ServerReflectionRequest {
                message_request: Some(MessageRequest::ListServices(String::new())),
                ..ServerReflectionRequest::default()
            };
            let answer = ServerReflectionClient::new(channel.clone())
                .server_reflection_info(tokio_stream::once(request))
                .await
                .unwrap();
            let message = answer.into_inner().message().await.unwrap().unwrap();
            match message.message_response {
                Some(MessageResponse::ListServicesResponse(list)) => list
                    .service
                    .into_iter()
                    .map(|service| service.name)
                    .collect(),
                other => panic!("expected a list, got {other:?}"),
            }
        }
    };
}
list!(list_v1, v1);
list!(list_v1alpha, v1alpha);

#[tokio::test]
async fn a_call_in_flight_is_answered_during_the_drain() {
    let fixture = start(ServerOptions::default()).await;
    let channel = fixture.channel.clone();
    let call = tokio::spawn(async move { observe(&channel, "wait").await });
    fixture.acting.entered.notified().await;
    let stop = tokio::spawn(fixture.server.stop(SOON));
    fixture.acting.leave.add_permits(1);
    assert_eq!(call.await.unwrap().unwrap(), "waited");
    stop.await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_does_not_keep_the_drain_waiting() {
    let fixture = start(ServerOptions::default()).await;
    let mut silent = tokio::net::TcpStream::connect(fixture.server.addr())
        .await
        .unwrap();
    // A call afterwards, so that the silent one has been accepted when the drain begins.
    observe(&fixture.channel, "hello").await.unwrap();
    let stop = fixture.server.stop(Duration::from_millis(50));
    tokio::time::timeout(SOON, stop)
        .await
        .expect("the drain is bounded");
    // The server's greeting may be there to read; then comes the end, clean or not.
    let mut greeting = Vec::new();
    let read = tokio::time::timeout(SOON, silent.read_to_end(&mut greeting)).await;
    read.expect("the connection is cut, not left behind").ok();
}

#[tokio::test]
async fn a_port_in_use_is_refused_with_what_to_do() {
    let fixture = start(ServerOptions::default()).await;
    let error = kycc_rpc::bind(fixture.server.addr()).await.unwrap_err();
    assert!(error.to_string().contains("--grpc-addr"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_apart_from_one_that_refuses() {
    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = bound.addr().to_string();
    drop(bound);
    let channel = kycc_rpc::connect_lazy(&address, &ChannelOptions::default()).unwrap();
    let error = observe(&channel, "hello").await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    assert!(error.is_transient());
}
