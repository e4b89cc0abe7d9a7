//! API keys: which are taken, and how the file changes.

use kycc_rpc::{AuthOptions, NewKey, Role, RunningServer, ServerOptions, draw_key};
use tempfile::TempDir;
use tonic::Code;

use crate::support::{Clock, bearer, look, look_with, observe, plain, serve, until};

fn key(id: &str, roles: &[Role]) -> NewKey {
    draw_key(id, &format!("holder of {id}"), roles, None).unwrap()
}

fn write(folder: &TempDir, keys: &[&NewKey]) {
    let entries: String = keys.iter().map(|key| key.yaml()).collect();
    std::fs::write(folder.path().join("keys.yaml"), format!("keys:\n{entries}")).unwrap();
}

async fn start(folder: &TempDir, clock: &Clock) -> RunningServer {
    serve(ServerOptions {
        auth: AuthOptions {
            api_keys_file: Some(folder.path().join("keys.yaml")),
            time: clock.time(),
            ..AuthOptions::default()
        },
        ..ServerOptions::default()
    })
    .await
}

#[tokio::test]
async fn a_key_is_taken_in_either_header_until_it_expires() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let expires = chrono::DateTime::from_timestamp(crate::support::NOW + 60, 0);
    let key = draw_key("feed", "feed", &[Role::Ingester], expires).unwrap();
    write(&folder, &[&key]);
    let server = start(&folder, &clock).await;
    let channel = plain(&server);
    let shown = key.key.expose();
    look_with(&channel, shown).await.unwrap();
    look(&channel, &[("x-api-key", shown)]).await.unwrap();
    let denied = observe(&channel, &[("x-api-key", shown)])
        .await
        .unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert!(denied.message().contains("feed"), "{denied}");
    clock.forward(60);
    let error = look_with(&channel, shown).await.unwrap_err();
    assert!(error.message().contains("expired"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_in_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let known = key("a", &[Role::Viewer]);
    write(&folder, &[&known]);
    let server = start(&folder, &Clock::new()).await;
    let channel = plain(&server);
    // The id of one, the secret of another.
    let other = key("a", &[Role::Viewer]);
    for wrong in [
        other.key.expose(),
        "kycc_a_",
        "kycc_b_00",
        &known.entry.sha256,
    ] {
        let error = look(&channel, &[("x-api-key", wrong)]).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated, "{wrong}");
    }
}

#[tokio::test]
async fn a_key_is_revoked_and_another_comes_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (key("old", &[Role::Viewer]), key("new", &[Role::Viewer]));
    write(&folder, &[&old]);
    let server = start(&folder, &Clock::new()).await;
    let channel = plain(&server);
    look_with(&channel, old.key.expose()).await.unwrap();
    write(&folder, &[&new]);
    until("the new key is known", || async {
        look_with(&channel, new.key.expose()).await.is_ok()
    })
    .await;
    look(&channel, &[("authorization", &bearer(old.key.expose()))])
        .await
        .unwrap_err();
}
