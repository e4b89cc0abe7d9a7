//! Security from environment variables: what differs between machines. Lists of rules belong into the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::ConfigError;
use super::super::env::parsed;
use super::layer::{ClientTlsLayer, JwtLayer, SecretText, SecurityLayer, ServerTlsLayer};

pub(in crate::config) const KEYS: &[&str] = &[
    "KYCC_ALLOW_PLAINTEXT",
    "KYCC_ALLOW_UNAUTHENTICATED",
    "KYCC_API_KEYS_FILE",
    "KYCC_FLEET_SECRET",
    "KYCC_FLEET_SECRET_FILE",
    "KYCC_JWT_AUDIENCE",
    "KYCC_JWT_ISSUER",
    "KYCC_JWT_JWKS_CA_FILE",
    "KYCC_JWT_JWKS_FILE",
    "KYCC_JWT_JWKS_URL",
    "KYCC_JWT_PRINCIPAL_CLAIM",
    "KYCC_JWT_ROLES_CLAIM",
    "KYCC_PEER_NAMES",
    "KYCC_PEER_TLS_CA_FILE",
    "KYCC_PEER_TLS_CERT_FILE",
    "KYCC_PEER_TLS_DOMAIN_NAME",
    "KYCC_PEER_TLS_KEY_FILE",
    "KYCC_TLS_CERT_FILE",
    "KYCC_TLS_CLIENT_CA_FILE",
    "KYCC_TLS_KEY_FILE",
    "KYCC_TLS_REQUIRE_CLIENT_CERT",
];

/// None where no variable says anything.
pub(in crate::config) fn from_env(
    variables: &BTreeMap<String, String>,
) -> Result<Option<SecurityLayer>, ConfigError> {
    let text = |key: &str| variables.get(key).filter(|v| !v.is_empty()).cloned();
    let path = |key: &str| text(key).map(PathBuf::from);
    let flag = |key: &str| parsed(key, text(key), "true or false");
    let tls = ServerTlsLayer {
        cert_file: path("KYCC_TLS_CERT_FILE"),
        key_file: path("KYCC_TLS_KEY_FILE"),
        client_ca_file: path("KYCC_TLS_CLIENT_CA_FILE"),
        require_client_cert: flag("KYCC_TLS_REQUIRE_CLIENT_CERT")?,
    };
    let jwt = JwtLayer {
        issuer: text("KYCC_JWT_ISSUER"),
        audience: text("KYCC_JWT_AUDIENCE"),
        jwks_file: path("KYCC_JWT_JWKS_FILE"),
        jwks_url: text("KYCC_JWT_JWKS_URL"),
        jwks_ca_file: path("KYCC_JWT_JWKS_CA_FILE"),
        principal_claim: text("KYCC_JWT_PRINCIPAL_CLAIM"),
        roles_claim: text("KYCC_JWT_ROLES_CLAIM"),
        ..JwtLayer::default()
    };
    let peer_tls = ClientTlsLayer {
        ca_file: path("KYCC_PEER_TLS_CA_FILE"),
        cert_file: path("KYCC_PEER_TLS_CERT_FILE"),
        key_file: path("KYCC_PEER_TLS_KEY_FILE"),
        domain_name: text("KYCC_PEER_TLS_DOMAIN_NAME"),
    };
    let names = |list: String| list.split(',').map(|name| name.trim().to_owned()).collect();
    let layer = SecurityLayer {
        allow_unauthenticated: flag("KYCC_ALLOW_UNAUTHENTICATED")?,
        allow_plaintext: flag("KYCC_ALLOW_PLAINTEXT")?,
        api_keys_file: path("KYCC_API_KEYS_FILE"),
        certificates: None,
        peer_names: text("KYCC_PEER_NAMES").map(names),
        fleet_secret: text("KYCC_FLEET_SECRET").map(SecretText::from),
        fleet_secret_file: path("KYCC_FLEET_SECRET_FILE"),
        tls: (tls != ServerTlsLayer::default()).then_some(tls),
        jwt: (jwt != JwtLayer::default()).then_some(jwt),
        peer_tls: (peer_tls != ClientTlsLayer::default()).then_some(peer_tls),
        limits: None,
    };
    Ok((layer != SecurityLayer::default()).then_some(layer))
}
