//! TLS on both ends: who is trusted, by which name, and how certificates change.

use kycc_rpc::{
    AuthOptions, CertificateRule, ChannelOptions, ClientTls, Role, RunningServer, ServerOptions,
    ServerTls,
};
use tonic::Code;
use tonic::transport::Channel;

use crate::support::{Authority, Identity, auth, look, observe, plain, serve};

fn server_tls(identity: &Identity, clients: Option<&Authority>) -> ServerTls {
    ServerTls {
        cert_file: identity.cert_file.clone(),
        key_file: identity.key_file.clone(),
        client_ca_file: clients.map(|authority| authority.ca_file.clone()),
        require_client_cert: false,
    }
}

fn client_tls(server: &Authority, identity: Option<&Identity>) -> ClientTls {
    ClientTls {
        ca_file: Some(server.ca_file.clone()),
        cert_file: identity.map(|identity| identity.cert_file.clone()),
        key_file: identity.map(|identity| identity.key_file.clone()),
        domain_name: Some("kycc.test".to_owned()),
    }
}

fn connect(server: &RunningServer, tls: ClientTls) -> Channel {
    let options = ChannelOptions {
        tls: Some(tls),
        ..ChannelOptions::default()
    };
    kycc_rpc::connect_lazy(&server.addr().to_string(), &options).unwrap()
}

#[tokio::test]
async fn a_server_is_believed_by_its_root_and_its_name_alone() {
    let (ours, others) = (Authority::new(), Authority::new());
    let tls = server_tls(&ours.issue("server", "kycc.test"), None);
    let server = serve(ServerOptions {
        tls: Some(tls),
        ..ServerOptions::default()
    })
    .await;
    let channel = connect(&server, client_tls(&ours, None));
    // Without authentication everybody is the owner, over TLS too.
    assert!(observe(&channel, &[]).await.unwrap().starts_with("owner ["));
    let other_name = ClientTls {
        domain_name: Some("other.test".to_owned()),
        ..client_tls(&ours, None)
    };
    for wrong in [client_tls(&others, None), other_name] {
        let error = look(&connect(&server, wrong), &[]).await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
    }
    let error = look(&plain(&server), &[]).await.unwrap_err();
    assert!(error.is_unreachable(), "clear text: {error}");
}

fn by_certificate() -> AuthOptions {
    AuthOptions {
        certificates: vec![CertificateRule {
            name: "spiffe://bank/reader".to_owned(),
            principal: "reader".to_owned(),
            roles: vec![Role::Viewer],
        }],
        peer_names: vec!["fleet.test".to_owned()],
        ..auth()
    }
}

#[tokio::test]
async fn a_clients_certificate_says_who_it_is() {
    let (ours, others) = (Authority::new(), Authority::new());
    let server = serve(ServerOptions {
        tls: Some(server_tls(&ours.issue("server", "kycc.test"), Some(&ours))),
        auth: by_certificate(),
        ..ServerOptions::default()
    })
    .await;
    let with = |identity: &Identity| connect(&server, client_tls(&ours, Some(identity)));
    let reader = with(&ours.issue("reader", "spiffe://bank/reader"));
    look(&reader, &[]).await.unwrap();
    let denied = observe(&reader, &[]).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert!(denied.message().contains("reader"), "{denied}");

    let fleet = with(&ours.issue("fleet", "fleet.test"));
    assert_eq!(
        observe(&fleet, &[]).await.unwrap(),
        "fleet [viewer, ingester, operator, service]"
    );
    // Known to the authority, and to nobody here; and nobody at all.
    for channel in [
        with(&ours.issue("unknown", "unknown.test")),
        connect(&server, client_tls(&ours, None)),
    ] {
        let error = look(&channel, &[]).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
    }
    // The right name by the wrong authority.
    let forged = with(&others.issue("fleet", "fleet.test"));
    let error = observe(&forged, &[]).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
}

#[tokio::test]
async fn a_server_that_requires_a_certificate_talks_to_nobody_without_one() {
    let ours = Authority::new();
    let server = serve(ServerOptions {
        tls: Some(ServerTls {
            require_client_cert: true,
            ..server_tls(&ours.issue("server", "kycc.test"), Some(&ours))
        }),
        auth: by_certificate(),
        ..ServerOptions::default()
    })
    .await;
    let error = look(&connect(&server, client_tls(&ours, None)), &[])
        .await
        .unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    let reader = ours.issue("reader", "spiffe://bank/reader");
    look(&connect(&server, client_tls(&ours, Some(&reader))), &[])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let identity = old.issue("server", "kycc.test");
    let server = serve(ServerOptions {
        tls: Some(server_tls(&identity, None)),
        ..ServerOptions::default()
    })
    .await;
    let before = connect(&server, client_tls(&old, None));
    look(&before, &[]).await.unwrap();
    let next = new.issue("server", "kycc.test");
    std::fs::copy(&next.cert_file, &identity.cert_file).unwrap();
    // Half of it: the key does not fit, so the old one stays.
    look(&connect(&server, client_tls(&old, None)), &[])
        .await
        .unwrap();
    std::fs::copy(&next.key_file, &identity.key_file).unwrap();
    crate::support::until("the new certificate is shown", || async {
        look(&connect(&server, client_tls(&new, None)), &[])
            .await
            .is_ok()
    })
    .await;
    // What was connected goes on.
    look(&before, &[]).await.unwrap();
}

#[tokio::test]
async fn a_start_with_a_key_that_does_not_fit_says_so() {
    let ours = Authority::new();
    let one = ours.issue("one", "kycc.test");
    let two = ours.issue("two", "kycc.test");
    let fits = server_tls(&one, None);
    fits.check().unwrap();
    let key_of_another = ServerTls {
        key_file: two.key_file.clone(),
        ..fits.clone()
    };
    let no_key = ServerTls {
        key_file: one.cert_file.clone(),
        ..fits.clone()
    };
    let missing = ServerTls {
        cert_file: ours.path().join("nowhere.pem"),
        ..fits
    };
    for (tls, said) in [
        (key_of_another, "one.pem"),
        (no_key, "PRIVATE KEY"),
        (missing, "nowhere.pem"),
    ] {
        let error = tls.check().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
