//! A fleet with authentication, as its config makes it: what strangers see, and that it goes on knowing itself.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::{ObserveRequest, SourceVersion};
use kycc_rpc::{ChannelOptions, ClientError, ClientTls, Role, draw_key};
use kycc_runtime::{
    BuildError, ConfigLayer, ConnectionUrl, Fleet, FleetConfig, Module, ModuleContext,
    RunningFleet, Service, SourceObserver, StartError, TaskError,
};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tonic::transport::Channel;
use tonic::{Code, Request};

/// Keeps the channel that services are given.
struct Half {
    name: &'static str,
    source: &'static [&'static str],
    channel: Arc<Mutex<Option<Channel>>>,
}

struct Observer(&'static str);

#[async_trait]
impl SourceObserver for Observer {
    fn source(&self) -> &'static str {
        self.0
    }

    async fn observe(
        &self,
        batch: &BatchId,
        _: &Value,
        _: &Value,
    ) -> Result<SourceVersion, TaskError> {
        Ok(SourceVersion {
            digest: format!("{batch} by {}", self.0),
            ..SourceVersion::default()
        })
    }
}

#[async_trait]
impl Module for Half {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lane(&self) -> Option<&'static str> {
        None
    }

    fn sources(&self) -> &'static [&'static str] {
        self.source
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        *self.channel.lock().await = Some(cx.channel.clone());
        Ok(Service::builder()
            .observer(Arc::new(Observer(self.source[0])))
            .build())
    }
}

async fn start(config: FleetConfig) -> Result<(RunningFleet, Channel), StartError> {
    let channel = Arc::new(Mutex::new(None));
    let module = |name, source| Half {
        name,
        source,
        channel: Arc::clone(&channel),
    };
    let modules: Vec<Box<dyn Module>> = vec![
        Box::new(module("left", &["left_source"])),
        Box::new(module("right", &["right_source"])),
    ];
    let fleet = Fleet::start(config, modules).await?;
    let inside = channel.lock().await.take().unwrap();
    Ok((fleet, inside))
}

fn config(folder: &Path, security: &str) -> FleetConfig {
    let text = format!("security:\n{security}");
    let layer = ConfigLayer::from_yaml(&text, Path::new("kycc.yaml")).unwrap();
    FleetConfig {
        security: FleetConfig::resolve([layer]).unwrap().security,
        threads: 1,
        drain_seconds: 5,
        ..FleetConfig::embedded(folder)
    }
}

async fn observe(
    channel: &Channel,
    source: &str,
    key: Option<&str>,
) -> Result<String, ClientError> {
    let mut request = Request::new(ObserveRequest {
        source: source.to_owned(),
        batch_id: "B1".to_owned(),
        ..ObserveRequest::default()
    });
    if let Some(key) = key {
        request
            .metadata_mut()
            .insert("x-api-key", key.parse().unwrap());
    }
    let answer = SourceServiceClient::new(channel.clone())
        .observe(request)
        .await?;
    Ok(answer.into_inner().version.unwrap().digest)
}

struct Files {
    folder: TempDir,
    key: String,
    tls: ClientTls,
    security: String,
}

/// TLS, API keys and a fleet secret.
fn files() -> Files {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(at("cert.pem"), certified.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), certified.signing_key.serialize_pem()).unwrap();
    let key = draw_key("ann", "ann", &[Role::Approver], None).unwrap();
    std::fs::write(at("keys.yaml"), format!("keys:\n{}", key.yaml())).unwrap();
    std::fs::write(at("secret"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let root = folder.path().display();
    let security = format!(
        "  tls: {{cert_file: {root}/cert.pem, key_file: {root}/key.pem}}\n  peer_tls: {{ca_file: {root}/cert.pem}}\n  api_keys_file: {root}/keys.yaml\n  fleet_secret_file: {root}/secret\n"
    );
    let tls = ClientTls {
        ca_file: Some(at("cert.pem")),
        ..ClientTls::default()
    };
    Files {
        folder,
        key: key.key.expose().to_owned(),
        tls,
        security,
    }
}

impl Files {
    fn connect(&self, fleet: &RunningFleet) -> Channel {
        let options = ChannelOptions {
            tls: Some(self.tls.clone()),
            ..ChannelOptions::default()
        };
        kycc_rpc::connect_lazy(&fleet.grpc_addr().to_string(), &options).unwrap()
    }
}

#[tokio::test]
async fn strangers_are_kept_out_callers_may_what_their_role_says_and_the_fleet_knows_itself() {
    let files = files();
    let data = files.folder.path().join("data");
    let (fleet, inside) = start(config(&data, &files.security)).await.unwrap();
    let outside = files.connect(&fleet);
    let error = observe(&outside, "left_source", None).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    let error = observe(&outside, "left_source", Some(&files.key))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert!(error.message().contains("ann"), "{error}");
    for channel in [&inside, &fleet.channel()] {
        let seen = observe(channel, "left_source", None).await.unwrap();
        assert_eq!(seen, "B1 by left_source");
    }
    fleet.shutdown().await;
}

#[tokio::test]
async fn processes_of_a_fleet_ask_each_other_over_tls_by_their_secret() {
    let files = files();
    let database = kycc_testkit::postgres::fresh().await;
    let queue = kycc_testkit::redis::Namespace::new();
    let process = |name: &str, security: &str| FleetConfig {
        store_url: ConnectionUrl::new(database.url()),
        queue_url: ConnectionUrl::new(queue.url()),
        services: vec![name.to_owned()],
        ..config(&files.folder.path().join(name), security)
    };
    let (right, _) = start(process("right", &files.security)).await.unwrap();
    let peer_of = |security: &str| {
        let mut config = process("left", security);
        let address = right.grpc_addr().to_string();
        config.peers.insert("right".to_owned(), address);
        config
    };
    let (left, inside) = start(peer_of(&files.security)).await.unwrap();
    assert_eq!(
        observe(&inside, "right_source", None).await.unwrap(),
        "B1 by right_source"
    );
    left.shutdown().await;

    // One that has another secret is nobody.
    let other = files.folder.path().join("other-secret");
    std::fs::write(&other, "f".repeat(32)).unwrap();
    let stranger = files.security.replace("/secret", "/other-secret");
    let (left, inside) = start(peer_of(&stranger)).await.unwrap();
    let error = observe(&inside, "right_source", None).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    left.shutdown().await;
    right.shutdown().await;
}

#[tokio::test]
async fn a_start_with_files_that_are_not_there_names_them() {
    let folder = tempfile::tempdir().unwrap();
    for (security, said) in [
        (
            "  api_keys_file: /nowhere/keys.yaml\n",
            "/nowhere/keys.yaml",
        ),
        ("  fleet_secret_file: /nowhere/secret\n", "/nowhere/secret"),
        (
            "  tls: {cert_file: /nowhere/c.pem, key_file: /nowhere/k.pem}\n",
            "/nowhere/c.pem",
        ),
    ] {
        let refused = start(config(folder.path(), security)).await;
        let error = refused.map(drop).unwrap_err();
        let text = kycc_telemetry::chain(&error);
        assert!(text.contains(said), "{text}");
    }
}
