//! A tonic server that does nothing but answer, without layers: what any call costs at least.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::PathAndQuery;
use kycc_proto::scoring::v1::GetScoreRequest;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::Error;

const PATH: &str = "/bench.Echo/Echo";
type Codec = ProstCodec<GetScoreRequest, GetScoreRequest>;

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "bench.Echo";
}

impl UnaryService<GetScoreRequest> for Echo {
    type Response = GetScoreRequest;
    type Future = Ready<Result<Response<GetScoreRequest>, Status>>;

    fn call(&mut self, request: Request<GetScoreRequest>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut server = Grpc::new(Codec::default());
            Ok(server.unary(Echo, request).await)
        })
    }
}

pub(super) async fn serve(listener: TcpListener) -> Result<(), Error> {
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .add_service(Echo)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

pub(super) async fn call(channel: Channel, number: usize) -> Result<(), Error> {
    let request = GetScoreRequest {
        party_id: format!("P-{number:05}"),
        ..GetScoreRequest::default()
    };
    let wanted = request.clone();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let path = PathAndQuery::from_static(PATH);
    let answer = client
        .unary(Request::new(request), path, Codec::default())
        .await?;
    if answer.into_inner() == wanted {
        Ok(())
    } else {
        Err("the echo is another one".into())
    }
}
