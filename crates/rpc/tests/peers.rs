//! Processes that have different services, and answer for each other's.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::source_service_server::{
    SERVICE_NAME, SourceService, SourceServiceServer,
};
use kycc_proto::work::v1::{ObserveRequest, ObserveResponse, SourceVersion};
use kycc_rpc::{
    ApiError, ChannelOptions, ClientError, Peer, Peers, RunningServer, ServerOptions, Services,
};
use tonic::{Request, Response, Status};

const SOON: Duration = Duration::from_secs(10);

struct Landing;

#[tonic::async_trait]
impl SourceService for Landing {
    async fn observe(
        &self,
        request: Request<ObserveRequest>,
    ) -> Result<Response<ObserveResponse>, Status> {
        let tag = request.metadata().get("tag").cloned();
        let asked = request.into_inner();
        if asked.source == "refuse" {
            return Err(ApiError::invalid("source", "is refused").into());
        }
        let tag = tag.map_or_else(String::new, |tag| tag.to_str().unwrap().to_owned());
        Ok(Response::new(ObserveResponse {
            version: Some(SourceVersion {
                digest: format!("{}-{tag}", asked.source),
                ..SourceVersion::default()
            }),
        }))
    }
}

async fn serve(services: Services, peers: Peers) -> RunningServer {
    let options = ServerOptions {
        peers,
        ..ServerOptions::default()
    };
    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    bound.serve(services, options).await.unwrap()
}

fn peer_at(address: &str) -> Peers {
    Peers::from_iter([(SERVICE_NAME, Peer::new("ingestion", address).unwrap())])
}

async fn owner() -> RunningServer {
    let mut services = Services::default();
    services.add(SourceServiceServer::new(Landing));
    serve(services, Peers::default()).await
}

async fn observe(server: &RunningServer, source: &str) -> Result<String, ClientError> {
    let address = server.addr().to_string();
    let channel = kycc_rpc::connect_lazy(&address, &ChannelOptions::default()).unwrap();
    let mut request = Request::new(ObserveRequest {
        source: source.to_owned(),
        ..ObserveRequest::default()
    });
    request
        .metadata_mut()
        .insert("tag", "mine".parse().unwrap());
    request.set_timeout(SOON);
    let answer = SourceServiceClient::new(channel).observe(request).await;
    let answer = answer.map_err(ClientError::from)?.into_inner();
    Ok(answer.version.unwrap().digest)
}

#[tokio::test]
async fn a_call_is_passed_on_with_its_metadata_to_who_has_the_service() {
    let owner = owner().await;
    let door = serve(Services::default(), peer_at(&owner.addr().to_string())).await;
    assert_eq!(observe(&door, "landing").await.unwrap(), "landing-mine");
}

#[tokio::test]
async fn the_errors_of_the_owner_reach_the_caller_whole() {
    let owner = owner().await;
    let door = serve(Services::default(), peer_at(&owner.addr().to_string())).await;
    let direct = observe(&owner, "refuse").await.unwrap_err();
    let passed_on = observe(&door, "refuse").await.unwrap_err();
    assert_eq!(passed_on.reason(), direct.reason());
    assert_eq!(passed_on.message(), direct.message());
}

#[tokio::test]
async fn an_owner_that_is_not_there_is_named_and_may_be_asked_again() {
    let door = serve(Services::default(), peer_at("127.0.0.1:1")).await;
    let error = observe(&door, "landing").await.unwrap_err();
    assert_eq!(error.reason(), "PEER_UNREACHABLE");
    assert!(
        error.message().contains("ingestion at 127.0.0.1:1"),
        "{error}"
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn two_that_take_each_other_for_the_owner_do_not_play_ball() {
    // Ports are known once they are bound, so the second is bound before the first is told of it.
    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let one = serve(Services::default(), peer_at(&bound.addr().to_string())).await;
    let options = ServerOptions {
        peers: peer_at(&one.addr().to_string()),
        ..ServerOptions::default()
    };
    let _two = bound.serve(Services::default(), options).await.unwrap();
    let error = observe(&one, "landing").await.unwrap_err();
    assert_eq!(error.reason(), "NOT_HERE");
}
