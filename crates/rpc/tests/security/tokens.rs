//! Tokens of an identity provider: which are taken, and how its keys change.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kycc_rpc::{AuthOptions, JwksSource, JwtOptions, RunningServer, ServerOptions};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tonic::Code;

use crate::support::{
    Clock, Signer, auth, bearer, claims, jwks, jwt, look, look_with, observe, plain, serve,
    unsigned, until,
};

struct Fixture {
    server: RunningServer,
    signer: Signer,
    clock: Clock,
    folder: TempDir,
}

async fn start(change: impl FnOnce(&mut JwtOptions)) -> Fixture {
    let signer = Signer::new("one");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, jwks(&[&signer])).unwrap();
    let mut options = jwt(JwksSource::File(file));
    change(&mut options);
    let clock = Clock::new();
    let server = serve(ServerOptions {
        auth: AuthOptions {
            jwt: Some(options),
            time: clock.time(),
            ..AuthOptions::default()
        },
        ..ServerOptions::default()
    });
    Fixture {
        server: server.await,
        signer,
        clock,
        folder,
    }
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

#[tokio::test]
async fn a_good_token_is_let_in_and_nobody_else_is() {
    let fixture = start(|_| {}).await;
    let channel = plain(&fixture.server);
    look_with(&channel, &fixture.signer.token(&claims()))
        .await
        .unwrap();
    // Again, from the cache.
    look_with(&channel, &fixture.signer.token(&claims()))
        .await
        .unwrap();
    for headers in [
        &[][..],
        &[("authorization", "Basic YTpi")],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer x.y.z")],
        &[("x-api-key", "kycc_a_b")],
    ] {
        let error = look(&channel, headers).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated, "{headers:?}: {error}");
    }
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let fixture = start(|_| {}).await;
    fixture.server.health().serving().await;
    let address = fixture.server.addr().to_string();
    assert!(kycc_rpc::is_serving(&address).await.unwrap());
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused_with_what_is_wrong() {
    let fixture = start(|options| options.leeway = Duration::from_secs(10)).await;
    let channel = plain(&fixture.server);
    let now = crate::support::NOW;
    let signer = &fixture.signer;
    let stranger = Signer::new("one");
    let unknown = Signer::new("two");
    let header = |alg: &str| json!({"alg": alg, "kid": "one"});
    // The public key as if it were a shared secret.
    let shared = {
        let message = unsigned(&header("HS256"), &claims());
        let key = hmac::Key::new(hmac::HMAC_SHA256, signer.public_point());
        let tag = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    };
    let good = signer.token(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let mut another = claims();
    another["sub"] = json!("root");
    let swapped = format!("{}.{signature}", unsigned(&header("ES256"), &another));
    let mut no_expiry = claims();
    no_expiry.as_object_mut().unwrap().remove("exp");
    let cases = [
        (signer.token(&with("exp", json!(now - 10))), "expired"),
        (signer.token(&with("nbf", json!(now + 11))), "not valid yet"),
        (signer.token(&with("aud", json!("other"))), "audience"),
        (signer.token(&with("aud", json!(null))), "audience"),
        (
            signer.token(&with("iss", json!("https://evil.example"))),
            "issuer",
        ),
        (signer.token(&with("sub", json!(""))), "\"sub\""),
        (signer.token(&with("sub", json!("a\nb"))), "\"sub\""),
        (signer.token(&with("exp", json!("never"))), "\"exp\""),
        (signer.token(&no_expiry), "\"exp\""),
        (stranger.token(&claims()), "signature"),
        (unknown.token(&claims()), "not known"),
        (swapped, "signature"),
        (shared, "algorithm"),
        (
            format!("{}.", unsigned(&header("none"), &claims())),
            "algorithm",
        ),
        (
            format!("{}.", unsigned(&header("None"), &claims())),
            "algorithm",
        ),
        (
            signer.token_with(&header("RS256"), &claims()),
            "not for its",
        ),
        (
            signer.token_with(
                &json!({"alg": "ES256", "kid": "one", "crit": ["x"]}),
                &claims(),
            ),
            "no JSON",
        ),
        (signed.to_owned(), "no JSON"),
        (format!("{signed}."), "signature"),
        (format!("{good}.x"), "no JSON"),
    ];
    for inside_the_leeway in [with("exp", json!(now - 9)), with("nbf", json!(now + 10))] {
        look_with(&channel, &signer.token(&inside_the_leeway))
            .await
            .unwrap();
    }
    for (token, said) in cases {
        let error = look_with(&channel, &token).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated, "{said}: {error}");
        assert!(error.message().contains(said), "{said}: {error}");
        assert!(!error.message().contains(&token), "{error}");
    }
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_once_it_has_expired() {
    let fixture = start(|options| options.leeway = Duration::ZERO).await;
    let channel = plain(&fixture.server);
    let token = fixture.signer.token(&claims());
    look_with(&channel, &token).await.unwrap();
    fixture.clock.forward(599);
    look_with(&channel, &token).await.unwrap();
    fixture.clock.forward(1);
    let error = look_with(&channel, &token).await.unwrap_err();
    assert!(error.message().contains("expired"), "{error}");
}

#[tokio::test]
async fn who_may_not_is_told_which_role_it_takes() {
    let fixture = start(|_| {}).await;
    let channel = plain(&fixture.server);
    let token = bearer(
        &fixture
            .signer
            .token(&with("roles", json!(["viewer", "approver", "service"]))),
    );
    let error = observe(&channel, &[("authorization", &token)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(
        error.message(),
        "kycc.work.v1.SourceService/Observe needs the role service; the roles of ann are: viewer, approver"
    );
    let none = fixture.signer.token(&with("roles", json!([])));
    let error = look_with(&channel, &none).await.unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn roles_are_found_by_their_path_and_mapped() {
    let fixture = start(|options| {
        options.roles_claim = "realm_access.roles".to_owned();
        let viewer = "viewer".parse().unwrap();
        options.role_mapping = [("risk-readers".to_owned(), viewer)].into();
    })
    .await;
    let channel = plain(&fixture.server);
    let of = |roles: Value| {
        fixture
            .signer
            .token(&with("realm_access", json!({ "roles": roles })))
    };
    look_with(&channel, &of(json!(["risk-readers", "x"])))
        .await
        .unwrap();
    look_with(&channel, &of(json!("x risk-readers")))
        .await
        .unwrap();
    for other in [json!(["viewer"]), json!(7), json!([])] {
        let error = look_with(&channel, &of(other)).await.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied, "{error}");
    }
}

#[tokio::test]
async fn keys_in_a_file_are_rotated_without_a_restart() {
    let fixture = start(|_| {}).await;
    let channel = plain(&fixture.server);
    let file = fixture.folder.path().join("jwks.json");
    let next = Signer::new("two");
    let (old, new) = (fixture.signer.token(&claims()), next.token(&claims()));
    look_with(&channel, &old).await.unwrap();
    // What cannot be read changes nothing.
    std::fs::write(&file, "{").unwrap();
    std::fs::write(&file, jwks(&[&next])).unwrap();
    until("the new key is known", || async {
        look_with(&channel, &new).await.is_ok()
    })
    .await;
    // Though it was found good, and is remembered.
    let error = look_with(&channel, &old).await.unwrap_err();
    assert!(error.message().contains("not known"), "{error}");
}

/// A server of keys over HTTP, on this machine.
#[derive(Clone, Default)]
struct Provider {
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    async fn start(&self, keys: String) -> String {
        self.keys(keys).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let provider = self.clone();
        tokio::spawn(async move {
            loop {
                let (mut tcp, _) = listener.accept().await.unwrap();
                let _ = tcp.read(&mut [0; 4096]).await;
                provider.asked.fetch_add(1, Ordering::SeqCst);
                let answer = provider.answer.lock().await.clone();
                let _ = tcp.write_all(answer.as_bytes()).await;
            }
        });
        url
    }

    async fn say(&self, status: &str, more: &str, body: &str) {
        *self.answer.lock().await = format!(
            "HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    async fn keys(&self, keys: String) {
        self.say("200 OK", "", &keys).await;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn with_provider(url: String, change: impl FnOnce(&mut JwtOptions)) -> RunningServer {
    let mut options = jwt(JwksSource::Url(url));
    change(&mut options);
    serve(ServerOptions {
        auth: AuthOptions {
            jwt: Some(options),
            ..auth()
        },
        ..ServerOptions::default()
    })
    .await
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_asked_for_at_its_url() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let provider = Provider::default();
    let url = provider.start(jwks(&[&one])).await;
    let server = with_provider(url, |options| {
        options.refresh_at_most_every = Duration::ZERO
    })
    .await;
    let channel = plain(&server);
    assert_eq!(provider.asked(), 1, "before the first call");
    look_with(&channel, &one.token(&claims())).await.unwrap();
    assert_eq!(provider.asked(), 1);
    provider.keys(jwks(&[&one, &two])).await;
    look_with(&channel, &two.token(&claims())).await.unwrap();
    assert_eq!(provider.asked(), 2);
    // The provider fails: the last good keys stay.
    for (status, more, body) in [
        ("500 Oops", "", ""),
        ("200 OK", "", "<html>"),
        ("302 Found", "location: http://127.0.0.1:1/\r\n", ""),
    ] {
        provider.say(status, more, body).await;
        let unknown = Signer::new("three").token(&claims());
        look_with(&channel, &unknown).await.unwrap_err();
        look_with(&channel, &two.token(&claims())).await.unwrap();
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_provider_once() {
    let one = Signer::new("one");
    let provider = Provider::default();
    let url = provider.start(jwks(&[&one])).await;
    let server = with_provider(url, |_| {}).await;
    let channel = plain(&server);
    for _ in 0..15 {
        let unknown = Signer::new("other").token(&claims());
        look_with(&channel, &unknown).await.unwrap_err();
    }
    assert_eq!(provider.asked(), 1);
    look_with(&channel, &one.token(&claims())).await.unwrap();
}

#[tokio::test]
async fn without_keys_a_caller_is_asked_to_come_back() {
    let one = Signer::new("one");
    let provider = Provider::default();
    let url = provider.start(String::new()).await;
    provider.say("503 Later", "", "").await;
    let server = with_provider(url, |options| {
        options.refresh_at_most_every = Duration::ZERO
    })
    .await;
    let channel = plain(&server);
    let error = look_with(&channel, &one.token(&claims()))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "IDENTITY_PROVIDER_UNREACHABLE");
    assert!(error.is_transient());
    provider.keys(jwks(&[&one])).await;
    look_with(&channel, &one.token(&claims())).await.unwrap();
}
