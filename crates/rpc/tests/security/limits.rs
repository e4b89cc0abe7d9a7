//! One caller's share, and what happens to who tries credentials.

use std::time::Instant;

use kycc_rpc::{AuthOptions, CallerLimits, Limits, Role, ServerOptions, draw_key};
use tonic::Code;

use crate::support::{auth, look, look_with, plain, serve};

#[tokio::test]
async fn one_caller_who_asks_too_often_is_told_when_to_come_back_and_another_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.yaml");
    let [ann, bob] = ["ann", "bob"].map(|id| draw_key(id, id, &[Role::Viewer], None).unwrap());
    std::fs::write(&file, format!("keys:\n{}{}", ann.yaml(), bob.yaml())).unwrap();
    let per_caller = CallerLimits {
        calls_per_second: 1,
        burst: 3,
        concurrent_calls: 1,
    };
    let server = serve(ServerOptions {
        auth: AuthOptions {
            api_keys_file: Some(file),
            ..auth()
        },
        limits: Limits {
            per_caller: Some(per_caller),
            ..Limits::default()
        },
        ..ServerOptions::default()
    })
    .await;
    let channel = plain(&server);
    let began = Instant::now();
    let mut refused = None;
    let mut let_in = 0;
    // More than a burst and what time gives back meanwhile, however slow this machine is.
    for _ in 0..1000 {
        match look_with(&channel, ann.key.expose()).await {
            Ok(()) => let_in += 1,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.unwrap();
    assert_eq!(
        (refused.code(), refused.reason()),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(refused.retry_after().is_some(), "{refused}");
    assert!(
        (3..=4 + began.elapsed().as_secs()).contains(&let_in),
        "{let_in}"
    );
    look_with(&channel, bob.key.expose()).await.unwrap();
}

#[tokio::test]
async fn an_address_that_tries_credentials_has_to_wait_and_who_is_known_there_has_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.yaml");
    let key = draw_key("ann", "ann", &[Role::Viewer], None).unwrap();
    std::fs::write(&file, format!("keys:\n{}", key.yaml())).unwrap();
    let server = serve(ServerOptions {
        auth: AuthOptions {
            api_keys_file: Some(file),
            ..auth()
        },
        limits: Limits {
            failed_authentications_per_minute: 1,
            ..Limits::default()
        },
        ..ServerOptions::default()
    })
    .await;
    let channel = plain(&server);
    look_with(&channel, key.key.expose()).await.unwrap();
    let mut codes = Vec::new();
    for attempt in 0..200 {
        let guess = format!("kycc_ann_{attempt}");
        let error = look(&channel, &[("x-api-key", &guess)]).await.unwrap_err();
        codes.push(error.code());
        if error.code() == Code::ResourceExhausted {
            assert!(error.retry_after().is_some(), "{error}");
            break;
        }
    }
    assert_eq!(codes[0], Code::Unauthenticated);
    assert_eq!(codes.last(), Some(&Code::ResourceExhausted));
    look_with(&channel, key.key.expose()).await.unwrap();
}
