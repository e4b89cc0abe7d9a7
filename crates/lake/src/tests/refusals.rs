//! What a store of others refuses, and how that is told: what, where, what to do; bounded in time, and no secrets.

use super::*;
use crate::datasets::SCORES;
use crate::testing::s3::S3Place;
use crate::testing::{id, scores};
use std::error::Error;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn open(place: S3Place) -> Lake {
    Lake::open_with(&place.url, place.settings).unwrap()
}

/// All that could reach a log.
fn everything(error: &LakeError) -> String {
    let causes = std::iter::successors(Some(error as &dyn Error), |error| (*error).source());
    let texts: Vec<_> = causes.map(|error| format!("{error} {error:?}")).collect();
    texts.join("\n")
}

/// One error of each kind of call.
async fn refused(lake: &Lake) -> Vec<LakeError> {
    let id = id(&SCORES, "k");
    vec![
        lake.manifest(&id).await.unwrap_err(),
        lake.existing(&id).await.unwrap_err(),
        lake.versions(&id.dataset, &id.batch).await.unwrap_err(),
        write(lake, &id, Shard::WHOLE, attempt(1), &scores(0..10), 10)
            .await
            .unwrap_err(),
    ]
}

#[tokio::test]
async fn wrong_keys_are_told_as_such_and_not_shown() {
    let wrong = [
        ("AWS_SECRET_ACCESS_KEY", "another-secret-of-test"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
    ];
    for (name, value) in wrong {
        let place = S3Place::fresh().with_setting(name, value);
        let secret = place
            .settings
            .iter()
            .find(|(name, _)| name == "AWS_SECRET_ACCESS_KEY")
            .unwrap()
            .1
            .clone();
        let lake = open(place);
        assert!(!format!("{lake:?}").contains(&secret));
        for error in refused(&lake).await {
            assert_eq!(error.reason(), "LAKE_ACCESS_DENIED", "{error:?}");
            assert!(!error.retryable());
            let text = error.to_string();
            assert!(text.contains("scores/BATCH_001"), "{text}");
            assert!(text.contains("check the credentials"), "{text}");
            assert!(!everything(&error).contains(&secret), "{name}");
        }
    }
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_not_an_empty_lake() {
    let mut place = S3Place::fresh();
    place.url = place.url.replace("s3://kycc/", "s3://nowhere/");
    let lake = open(place);
    assert_eq!(
        lake.ping().await.unwrap_err().reason(),
        "LAKE_BUCKET_MISSING"
    );
    for error in refused(&lake).await {
        assert_eq!(error.reason(), "LAKE_BUCKET_MISSING", "{error:?}");
        assert!(!error.retryable());
        assert!(error.to_string().contains("bucket"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let lake = open(S3Place::fresh().with_setting("AWS_ENDPOINT_URL", &endpoint));
    let id = id(&SCORES, "k");
    let bounded = tokio::time::timeout(Duration::from_secs(60), lake.manifest(&id));
    let error = bounded.await.expect("it gives up").unwrap_err();
    assert_eq!(error.reason(), "LAKE_UNAVAILABLE");
    assert!(error.retryable());
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = S3Place::fresh()
        .with_setting(
            "AWS_ENDPOINT_URL",
            &format!("http://{}", listener.local_addr().unwrap()),
        )
        .with_setting("AWS_TIMEOUT", "200ms");
    let lake = open(place);
    let id = id(&SCORES, "k");
    let bounded = tokio::time::timeout(Duration::from_secs(60), lake.manifest(&id));
    let error = bounded.await.expect("it gives up").unwrap_err();
    assert!(error.retryable());
    assert!(
        error.to_string().contains("did not answer in time"),
        "{error}"
    );
}

/// A server that answers each connection's only request as the script says; `None` closes without a word.
async fn scripted(listener: TcpListener, script: Vec<Option<&str>>) -> Vec<String> {
    let mut asked = Vec::new();
    for answer in script {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&request).contains("\r\n\r\n") {
            let read = connection.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..read]);
        }
        let request = String::from_utf8_lossy(&request).into_owned();
        asked.push(request.split(' ').next().unwrap_or_default().to_owned());
        if let Some(answer) = answer {
            let answer = answer.replace('\n', "\r\n");
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    }
    asked
}

async fn put_through(
    script: Vec<Option<&str>>,
) -> (Result<Option<bytes::Bytes>, LakeError>, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let lake = open(S3Place::fresh().with_setting("AWS_ENDPOINT_URL", &endpoint));
    let path = object_store::path::Path::from("x");
    tokio::join!(
        lake.put_or_standing(&path, "ours".into()),
        scripted(listener, script)
    )
}

const DONE: &str = "HTTP/1.1 200 OK\nETag: \"e\"\nContent-Length: 0\nConnection: close\n\n";
const STANDS: &str = "HTTP/1.1 412 Precondition Failed\nContent-Length: 0\nConnection: close\n\n";
const OURS: &str = "HTTP/1.1 200 OK\nETag: \"e\"\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT\n\
                    Content-Length: 4\nConnection: close\n\nours";
const UNDECIDED: &str = "HTTP/1.1 409 Conflict\nContent-Length: 39\nConnection: close\n\n\
                         <Code>ConditionalRequestConflict</Code>";
const NOTHING: &str = "HTTP/1.1 404 Not Found\nContent-Length: 0\nConnection: close\n\n";

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_carried_out_again() {
    let (put, asked) = put_through(vec![None, Some(STANDS), Some(OURS)]).await;
    assert_eq!(put.unwrap().as_deref(), Some("ours".as_bytes()));
    assert_eq!(asked, ["PUT", "PUT", "GET"]);
}

#[tokio::test]
async fn a_write_that_meets_an_undecided_one_is_carried_out_again() {
    let (put, asked) = put_through(vec![Some(UNDECIDED), Some(NOTHING), Some(DONE)]).await;
    assert_eq!(put.unwrap(), None);
    assert_eq!(asked, ["PUT", "GET", "PUT"]);
}

#[tokio::test]
async fn a_write_that_stays_undecided_may_be_tried_later() {
    let (put, _) = put_through([Some(UNDECIDED), Some(NOTHING)].repeat(4)).await;
    let error = put.unwrap_err();
    assert!(error.retryable());
    assert_eq!(error.reason(), "LAKE_UNAVAILABLE");
}
