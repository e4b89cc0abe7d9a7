//! Calls over a real connection, to a server that answers as it is told to.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use kycc_client::orchestrator::{CancelRunRequest, GetRunRequest, WatchRunRequest};
use kycc_client::{Client, ClientError, ClientOptions, Credentials, RetryOptions, idempotent};
use kycc_rpc::ApiError;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Code, Status};

/// Answers each call with the next status, the last one for ever, and keeps what was asked.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Status>>>,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl NamedService for Scripted {
    const NAME: &'static str = "kycc.orchestrator.v1.OrchestratorService";
}

impl tower::Service<Request<Body>> for Scripted {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.asked.lock().unwrap().push(request.headers().clone());
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        };
        ready(Ok(answer.into_http()))
    }
}

struct Place {
    client: Client,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
    _server: tokio::task::JoinSet<()>,
}

impl Place {
    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn read(&self) -> ClientError {
        let request = GetRunRequest::default();
        let answer = self.client.orchestrator().get_run(request).await;
        answer.unwrap_err().into()
    }
}

async fn place(answers: impl IntoIterator<Item = Status>) -> Place {
    let scripted = Scripted {
        answers: Arc::new(Mutex::new(answers.into_iter().collect())),
        asked: Arc::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::clone(&scripted.asked);
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        let incoming = TcpListenerStream::new(listener);
        let serving = tonic::transport::Server::builder().add_service(scripted);
        serving.serve_with_incoming(incoming).await.unwrap();
    });
    let options = ClientOptions {
        credentials: Credentials::Bearer("secret".to_owned()),
        retry: RetryOptions {
            first_pause: Duration::from_millis(1),
            ..RetryOptions::default()
        },
        ..ClientOptions::new(address)
    };
    Place {
        client: Client::connect(options).unwrap(),
        asked,
        _server: server,
    }
}

fn away() -> Status {
    ApiError::unavailable("NO_LEADER", "nobody leads").into()
}

fn missing() -> Status {
    ApiError::not_found("run", "r").into()
}

#[tokio::test]
async fn what_only_reads_is_asked_again_until_it_is_answered() {
    let place = place([away(), away(), missing()]).await;
    assert_eq!(place.read().await.code(), Code::NotFound);
    assert_eq!(place.asked(), 3);
    let headers = place.asked.lock().unwrap();
    assert!(
        headers
            .iter()
            .all(|headers| headers["authorization"] == "Bearer secret")
    );
}

#[tokio::test]
async fn what_changes_something_is_asked_again_only_where_that_is_said_to_be_safe() {
    let place = place([away(), missing(), away(), missing()]).await;
    let request = CancelRunRequest::default();
    let once = place
        .client
        .orchestrator()
        .cancel_run(request.clone())
        .await;
    assert_eq!(once.unwrap_err().code(), Code::Unavailable);
    assert_eq!(place.asked(), 1);
    assert_eq!(place.read().await.code(), Code::NotFound);
    let repeated = place
        .client
        .orchestrator()
        .cancel_run(idempotent(request))
        .await;
    assert_eq!(repeated.unwrap_err().code(), Code::NotFound);
    assert_eq!(place.asked(), 4);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_less_and_less() {
    let place = place([away()]).await;
    assert_eq!(place.read().await.reason(), "NO_LEADER");
    assert_eq!(place.asked(), 4, "as often as one call may");
    for _ in 0..100 {
        place.read().await;
    }
    // 103 calls more, and what the budget of ten had left.
    assert_eq!(place.asked(), 4 + 100 + 7);
}

#[tokio::test]
async fn a_server_that_names_a_time_is_asked_again_then() {
    let busy = ApiError::Overloaded {
        message: "busy".to_owned(),
        retry_after: Duration::from_millis(5),
    };
    let place = place([busy.into(), missing()]).await;
    assert_eq!(place.read().await.code(), Code::NotFound);
    assert_eq!(place.asked(), 2);
}

#[tokio::test]
async fn every_call_has_a_deadline_but_a_stream() {
    let place = place([away(), missing()]).await;
    place.read().await;
    let watch = WatchRunRequest::default();
    let answer = place.client.orchestrator().watch_run(watch).await;
    assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    let mut own = tonic::Request::new(GetRunRequest::default());
    own.set_timeout(Duration::from_secs(7));
    let answer = place.client.orchestrator().get_run(own).await;
    assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    let asked = place.asked.lock().unwrap();
    let given: Vec<Option<u64>> = asked
        .iter()
        .map(|headers| {
            let text = headers.get("grpc-timeout")?.to_str().unwrap();
            text.trim_end_matches('m').parse().ok()
        })
        .collect();
    let [Some(first), Some(second), None, Some(own)] = given[..] else {
        panic!("{given:?}");
    };
    // All attempts of a call share one deadline.
    assert!(second <= first && first <= 30_000, "{given:?}");
    assert!((6_000..=7_000).contains(&own), "{given:?}");
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let options = ClientOptions {
        retry: RetryOptions::none(),
        ..ClientOptions::new(address)
    };
    let client = Client::connect(options).unwrap();
    let answer = client
        .orchestrator()
        .get_run(GetRunRequest::default())
        .await;
    assert!(ClientError::from(answer.unwrap_err()).is_unreachable());
}
