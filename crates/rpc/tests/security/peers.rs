//! Calls that pass from process to process: they keep their caller, and nobody else can claim one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kycc_proto::work::v1::source_service_server::SERVICE_NAME;
use kycc_rpc::{
    AuthOptions, CertificateRule, ChannelOptions, ClientTls, Door, FleetSecret, Peer, Peers,
    Principal, Role, RunningServer, Secret, ServerOptions, ServerTls, Services, draw_key,
    in_the_name_of,
};
use tonic::Code;

use crate::support::{Authority, Mirror, auth, door, observe, plain, serve};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn with_secret(secret: &str) -> AuthOptions {
    AuthOptions {
        fleet_secret: Some(FleetSecret::Value(Secret::new(secret))),
        ..auth()
    }
}

fn to(owner: &RunningServer) -> Peers {
    let address = owner.addr().to_string();
    Peers::from_iter([(SERVICE_NAME, Peer::new("ingestion", &address).unwrap())])
}

fn told(principal: &str, roles: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(
        r#"{{"principal":"{principal}","roles":[{roles}]}}"#
    ))
}

/// The only method here is the fleet's own, so the caller of these tests is somebody that a process lets in as such.
async fn start(door_secret: &str, owner_secret: &str) -> (RunningServer, RunningServer) {
    let options = |secret| ServerOptions {
        auth: with_secret(secret),
        ..ServerOptions::default()
    };
    let owner = serve(options(owner_secret)).await;
    let door = door(options(door_secret), to(&owner)).await;
    (door, owner)
}

/// What a process with the secret sends to another: signed for `kycc.work.v1.SourceService/Observe`.
fn signed(secret: &str, at: i64, caller: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let path = "/kycc.work.v1.SourceService/Observe";
    let message = format!("kycc-fleet-v1\n{at}\n{path}\n{caller}");
    let tag = ring::hmac::sign(&key, message.as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{at} {hex}")
}

#[tokio::test]
async fn a_call_that_is_passed_on_keeps_its_caller() {
    let (door, owner) = start(SECRET, SECRET).await;
    let caller = told("ann", r#""operator","service""#);
    let signature = signed(SECRET, crate::support::NOW, &caller);
    let headers = [
        ("kycc-fleet", signature.as_str()),
        ("kycc-caller", caller.as_str()),
    ];
    for server in [&owner, &door] {
        let seen = observe(&plain(server), &headers).await.unwrap();
        assert_eq!(seen, "ann [operator, service]");
    }
}

#[tokio::test]
async fn nobody_outside_the_fleet_can_claim_to_be_another() {
    let (door, owner) = start(SECRET, SECRET).await;
    let root = told("root", r#""service","approver""#);
    let now = crate::support::NOW;
    let good = signed(SECRET, now, "");
    let old = signed(SECRET, now - 61, &root);
    let other = signed(&"x".repeat(32), now, &root);
    let forged: [&[(&'static str, &str)]; 7] = [
        &[("kycc-caller", &root)],
        &[("kycc-caller", &root), ("kycc-forwarded", "1")],
        &[("kycc-caller", &root), ("kycc-fleet", "")],
        // A signature for a call of the fleet itself, with a caller of one's own.
        &[("kycc-caller", &root), ("kycc-fleet", &good)],
        &[("kycc-caller", &root), ("kycc-fleet", &old)],
        &[("kycc-caller", &root), ("kycc-fleet", &other)],
        &[("kycc-fleet", &other)],
    ];
    for headers in forged {
        for server in [&owner, &door] {
            let error = observe(&plain(server), headers).await.unwrap_err();
            assert_eq!(error.code(), Code::Unauthenticated, "{headers:?}: {error}");
        }
    }
}

#[tokio::test]
async fn processes_with_different_secrets_do_not_know_each_other() {
    let (door, _owner) = start(SECRET, &"x".repeat(32)).await;
    let signature = signed(SECRET, crate::support::NOW, "");
    let error = observe(&plain(&door), &[("kycc-fleet", &signature)])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert!(error.message().contains("same one"), "{error}");
}

#[tokio::test]
async fn callers_of_a_door_are_denied_there_with_the_words_of_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.yaml");
    let key = draw_key("ann", "ann", &[Role::Operator], None).unwrap();
    std::fs::write(&keys, format!("keys:\n{}", key.yaml())).unwrap();
    let options = || ServerOptions {
        auth: AuthOptions {
            api_keys_file: Some(keys.clone()),
            ..with_secret(SECRET)
        },
        ..ServerOptions::default()
    };
    let owner = serve(options()).await;
    let door = door(options(), to(&owner)).await;
    for server in [&owner, &door] {
        let shown = [("x-api-key", key.key.expose())];
        let error = observe(&plain(server), &shown).await.unwrap_err();
        assert_eq!(error.code(), Code::PermissionDenied);
        assert!(error.message().contains("ann are: operator"), "{error}");
    }
}

#[tokio::test]
async fn processes_know_each_other_by_certificate() {
    let authority = Authority::new();
    let identity = authority.issue("fleet", "fleet.test");
    let options = || ServerOptions {
        tls: Some(ServerTls {
            cert_file: identity.cert_file.clone(),
            key_file: identity.key_file.clone(),
            client_ca_file: Some(authority.ca_file.clone()),
            require_client_cert: false,
        }),
        auth: AuthOptions {
            peer_names: vec!["fleet.test".to_owned()],
            certificates: vec![CertificateRule {
                name: "ann.test".to_owned(),
                principal: "ann".to_owned(),
                roles: vec![Role::Approver],
            }],
            ..auth()
        },
        ..ServerOptions::default()
    };
    let channel_options = |file: &str, name: &str| {
        let identity = authority.issue(file, name);
        ChannelOptions {
            tls: Some(ClientTls {
                ca_file: Some(authority.ca_file.clone()),
                cert_file: Some(identity.cert_file),
                key_file: Some(identity.key_file),
                domain_name: Some("fleet.test".to_owned()),
            }),
            ..ChannelOptions::default()
        }
    };
    let owner = serve(options()).await;
    let as_peer = channel_options("peer", "fleet.test");
    let peer = Peer::with("ingestion", &owner.addr().to_string(), &as_peer).unwrap();
    let door = door(options(), Peers::from_iter([(SERVICE_NAME, peer)])).await;
    let caller = told("bob", r#""service""#);
    let address = door.addr().to_string();
    let fleet = kycc_rpc::connect_lazy(&address, &as_peer).unwrap();
    let seen = observe(&fleet, &[("kycc-caller", &caller)]).await.unwrap();
    assert_eq!(seen, "bob [service]");
    // Whoever shows a credential of its own is taken by that, whatever its certificate.
    let shown = [("x-api-key", "kycc_nobody_knows"), ("kycc-caller", &caller)];
    let error = observe(&fleet, &shown).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated, "{error}");
    let as_ann = channel_options("ann", "ann.test");
    let ann = kycc_rpc::connect_lazy(&address, &as_ann).unwrap();
    let error = observe(&ann, &[("kycc-caller", &caller)])
        .await
        .unwrap_err();
    assert!(error.message().contains("ann are: approver"), "{error}");
}

#[tokio::test]
async fn a_process_calls_itself_past_credentials_and_in_the_name_of_who_asked() {
    use kycc_proto::work::v1::ObserveRequest;
    use kycc_proto::work::v1::source_service_client::SourceServiceClient;
    use kycc_proto::work::v1::source_service_server::SourceServiceServer;

    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let (services, owner) = (bound.channel(Door::Services), bound.channel(Door::Owner));
    let mut mirror = Services::default();
    mirror.add(SourceServiceServer::new(Mirror));
    let options = ServerOptions {
        auth: with_secret(SECRET),
        local_principal: Principal::new("owner"),
        ..ServerOptions::default()
    };
    let server = bound.serve(mirror, options).await.unwrap();
    assert_eq!(
        observe(&services, &[]).await.unwrap(),
        "fleet [viewer, ingester, operator, service]"
    );
    assert_eq!(
        observe(&owner, &[]).await.unwrap(),
        "owner [viewer, ingester, operator, approver, service]"
    );
    let asked = tonic::Request::new(ObserveRequest::default());
    let asked = in_the_name_of(&Principal::new("ann"), asked);
    let mut client = SourceServiceClient::new(services.clone());
    let seen = client.observe(asked).await.unwrap().into_inner();
    assert_eq!(
        seen.version.unwrap().digest,
        "ann [viewer, ingester, operator, service]"
    );
    server.stop(std::time::Duration::from_secs(5)).await;
    let error = observe(&services, &[]).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
}
