//! A server with one service of each kind, an identity provider, a certificate authority.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kycc_proto::scoring::v1::GetStatisticsRequest;
use kycc_proto::scoring::v1::scoring_service_client::ScoringServiceClient;
use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::source_service_server::{SourceService, SourceServiceServer};
use kycc_proto::work::v1::{ObserveRequest, ObserveResponse, SourceVersion};
use kycc_rpc::{
    AuthOptions, ChannelOptions, ClientError, JwksSource, JwtOptions, Peers, Principal,
    RunningServer, ServerOptions, Services, UnixTime, caller,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const AUDIENCE: &str = "kycc";
/// What time it is for servers, unless a test moves it.
pub(crate) const NOW: i64 = 1_800_000_000;
const SOON: Duration = Duration::from_secs(10);

/// Says who calls.
#[derive(Clone)]
pub(crate) struct Mirror;

#[tonic::async_trait]
impl SourceService for Mirror {
    async fn observe(
        &self,
        request: Request<ObserveRequest>,
    ) -> Result<Response<ObserveResponse>, Status> {
        let caller = caller(&request);
        let headers = request.metadata();
        let leaked = ["authorization", "x-api-key", "kycc-caller", "kycc-fleet"]
            .into_iter()
            .filter(|name| headers.contains_key(*name));
        let digest = format!(
            "{} [{}]{}",
            caller.principal,
            caller.roles,
            leaked.collect::<String>()
        );
        Ok(Response::new(ObserveResponse {
            version: Some(SourceVersion {
                digest,
                ..SourceVersion::default()
            }),
        }))
    }
}

/// A clock that a test moves.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn time(&self) -> UnixTime {
        let now = Arc::clone(&self.0);
        UnixTime::new(move || now.load(Ordering::SeqCst))
    }
}

pub(crate) fn auth() -> AuthOptions {
    AuthOptions {
        time: Clock::new().time(),
        ..AuthOptions::default()
    }
}

pub(crate) async fn serve(options: ServerOptions) -> RunningServer {
    serve_with(options, true).await
}

/// A process without the service, which `peers` have.
pub(crate) async fn door(options: ServerOptions, peers: Peers) -> RunningServer {
    serve_with(ServerOptions { peers, ..options }, false).await
}

async fn serve_with(options: ServerOptions, mirror: bool) -> RunningServer {
    let mut services = Services::default();
    if mirror {
        services.add(SourceServiceServer::new(Mirror));
    }
    let bound = kycc_rpc::bind("127.0.0.1:0".parse().unwrap());
    let bound = bound.await.unwrap();
    let options = ServerOptions {
        local_principal: Principal::new("owner"),
        ..options
    };
    bound.serve(services, options).await.unwrap()
}

pub(crate) fn plain(server: &RunningServer) -> Channel {
    let address = server.addr().to_string();
    kycc_rpc::connect_lazy(&address, &ChannelOptions::default()).unwrap()
}

fn request<T>(message: T, headers: &[(&'static str, &str)]) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in headers {
        let value = value.parse().unwrap();
        request.metadata_mut().append(*name, value);
    }
    request.set_timeout(SOON);
    request
}

/// Of the fleet's own method.
pub(crate) async fn observe(
    channel: &Channel,
    headers: &[(&'static str, &str)],
) -> Result<String, ClientError> {
    let asked = request(ObserveRequest::default(), headers);
    let answer = SourceServiceClient::new(channel.clone())
        .observe(asked)
        .await?;
    Ok(answer.into_inner().version.unwrap().digest)
}

/// What a viewer may ask. No such service is there, so whoever is let in is told that, with the reason UNIMPLEMENTED.
pub(crate) async fn look(
    channel: &Channel,
    headers: &[(&'static str, &str)],
) -> Result<(), ClientError> {
    let asked = request(GetStatisticsRequest::default(), headers);
    let answer = ScoringServiceClient::new(channel.clone())
        .get_statistics(asked)
        .await;
    match answer.map_err(ClientError::from) {
        Ok(_) => panic!("there is no scoring service here"),
        Err(error) if error.reason() == "UNIMPLEMENTED" => Ok(()),
        Err(error) => Err(error),
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

pub(crate) async fn look_with(channel: &Channel, token: &str) -> Result<(), ClientError> {
    look(channel, &[("authorization", &bearer(token))]).await
}

pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + SOON;
    while !holds().await {
        assert!(Instant::now() < end, "it never came to hold: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One signing key of an identity provider.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let with = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(with, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(with, document.as_ref(), &random).unwrap();
        Self { kid, pair }
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..]),
        })
    }

    pub(crate) fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(
            &json!({"alg": "ES256", "typ": "JWT", "kid": self.kid}),
            claims,
        )
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = self.pair.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": [AUDIENCE, "other"], "sub": "ann",
        "exp": NOW + 600, "nbf": NOW - 5, "roles": ["viewer"],
    })
}

pub(crate) fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

pub(crate) fn jwt(keys: JwksSource) -> JwtOptions {
    JwtOptions::new(ISSUER, AUDIENCE, keys)
}

/// A certificate authority with a folder of its own.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
    pub(crate) ca_file: PathBuf,
}

pub(crate) struct Identity {
    pub(crate) cert_file: PathBuf,
    pub(crate) key_file: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let folder = tempfile::tempdir().unwrap();
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, pem).unwrap();
        Self {
            folder,
            issuer: Issuer::new(params, key),
            ca_file,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A certificate for `name`, which may be a URI; files of an earlier one are replaced.
    pub(crate) fn issue(&self, file: &str, name: &str) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![match name.contains("://") {
            true => SanType::URI(name.try_into().unwrap()),
            false => SanType::DnsName(name.try_into().unwrap()),
        }];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = Identity {
            cert_file: self.path().join(format!("{file}.pem")),
            key_file: self.path().join(format!("{file}.key")),
        };
        std::fs::write(&identity.cert_file, certificate.pem()).unwrap();
        std::fs::write(&identity.key_file, key.serialize_pem()).unwrap();
        identity
    }
}
