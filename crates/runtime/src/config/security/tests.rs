//! What may be configured together, and that secrets are not shown.

use std::collections::BTreeMap;
use std::path::Path;

use kycc_rpc::{CallerLimits, FleetSecret};

use super::super::{ConfigError, ConfigLayer, FleetConfig};

fn file(text: &str) -> ConfigLayer {
    ConfigLayer::from_yaml(text, Path::new("kycc.yaml")).unwrap()
}

fn resolve(text: &str) -> Result<FleetConfig, ConfigError> {
    FleetConfig::resolve([file(text)])
}

fn refused(text: &str) -> String {
    resolve(text).unwrap_err().to_string()
}

const OPEN: &str = "grpc_addr: 0.0.0.0:50051\n";
const KEYS: &str = "  api_keys_file: /k.yaml\n";
const TLS: &str = "  tls: {cert_file: /c.pem, key_file: /k.pem}\n";

#[test]
fn beyond_this_machine_it_takes_authentication_and_tls_or_saying_so() {
    assert!(refused(OPEN).contains("allow_unauthenticated"));
    assert!(refused(&format!("{OPEN}security:\n{TLS}")).contains("allow_unauthenticated"));
    assert!(refused(&format!("{OPEN}security:\n{KEYS}")).contains("allow_plaintext"));
    for enough in [
        format!("{KEYS}{TLS}"),
        format!("{KEYS}  allow_plaintext: true\n"),
        "  allow_unauthenticated: true\n".to_owned(),
    ] {
        resolve(&format!("{OPEN}security:\n{enough}")).unwrap();
    }
    // One does not stand for the other.
    let plain = format!("{OPEN}security:\n  allow_plaintext: true\n");
    assert!(refused(&plain).contains("allow_unauthenticated"));
    let known = format!("{OPEN}security:\n{KEYS}  allow_unauthenticated: true\n");
    assert!(refused(&known).contains("allow_plaintext"));
}

#[test]
fn the_console_stays_on_this_machine_whatever_is_configured() {
    let text = format!(
        "console_addr: 0.0.0.0:3000\nsecurity:\n{KEYS}{TLS}  allow_unauthenticated: true\n"
    );
    assert!(refused(&text).contains("console_addr"));
}

#[test]
fn what_belongs_together_is_asked_for() {
    let jwt = "security:\n  jwt: {issuer: i, audience: a";
    for (text, said) in [
        (format!("{jwt}}}"), "exactly one"),
        (
            format!("{jwt}, jwks_file: /j, jwks_url: 'https://x'}}"),
            "exactly one",
        ),
        (
            "security:\n  jwt: {issuer: i, jwks_file: /j}".to_owned(),
            "audience",
        ),
        ("security:\n  tls: {cert_file: /c}".to_owned(), "key_file"),
        (
            "security:\n  tls: {cert_file: /c, key_file: /k, require_client_cert: true}".to_owned(),
            "client_ca_file",
        ),
        (
            format!("security:\n{TLS}  peer_names: [x]"),
            "client_ca_file",
        ),
        (
            format!("peers: {{scoring: 'h:1'}}\nsecurity:\n{KEYS}"),
            "fleet_secret_file",
        ),
        (
            "security: {fleet_secret: abc, fleet_secret_file: /f}".to_owned(),
            "one of the two",
        ),
        ("security: {limits: {burst: 0}}".to_owned(), "limits.burst"),
        (
            "security: {limits: {max_message_bytes: 5}}".to_owned(),
            "4 MiB",
        ),
    ] {
        let error = refused(&text);
        assert!(error.contains(said), "{text}: {error}");
    }
    for unknown in [
        "security: {tsl: 1}",
        "security: {jwt: {isuer: x}}",
        "security: {limits: {brst: 1}}",
    ] {
        ConfigLayer::from_yaml(unknown, Path::new("kycc.yaml")).unwrap_err();
    }
}

#[test]
fn keys_of_one_section_may_come_from_different_sources() {
    let variables: BTreeMap<String, String> = [
        ("KYCC_JWT_ISSUER", "https://idp"),
        ("KYCC_TLS_KEY_FILE", "/secret/key"),
        ("KYCC_FLEET_SECRET", "0123456789abcdef0123456789abcdef"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let environment = ConfigLayer::from_env(&variables).unwrap();
    let text = "security:\n  jwt: {issuer: other, audience: kycc, jwks_file: /j}\n  tls: {cert_file: /c}\n";
    let config = FleetConfig::resolve([file(text), environment]).unwrap();
    let jwt = config.security.auth.jwt.as_ref().unwrap();
    assert_eq!(
        (jwt.issuer.as_str(), jwt.audience.as_str()),
        ("https://idp", "kycc")
    );
    let tls = config.security.tls.as_ref().unwrap();
    assert_eq!(
        (&*tls.cert_file, &*tls.key_file),
        (Path::new("/c"), Path::new("/secret/key"))
    );
    assert!(matches!(
        config.security.auth.fleet_secret,
        Some(FleetSecret::Value(_))
    ));
    for printed in [
        format!("{config:?}"),
        serde_json::to_string(&config).unwrap(),
    ] {
        assert!(!printed.contains("0123456789abcdef"), "{printed}");
    }
}

#[test]
fn a_secret_of_the_file_is_not_shown_by_its_layer_either() {
    let layer = file("security: {fleet_secret: hunter2}");
    assert!(!format!("{layer:?}").contains("hunter2"));
}

#[test]
fn processes_show_each_other_the_certificate_that_clients_see() {
    let text =
        "security:\n  tls: {cert_file: /c, key_file: /k, client_ca_file: /ca}\n  peer_names: [x]\n";
    let peer = resolve(text).unwrap().security.peer_tls.unwrap();
    assert_eq!(peer.ca_file.as_deref(), Some(Path::new("/ca")));
    assert_eq!(peer.cert_file.as_deref(), Some(Path::new("/c")));
    assert!(resolve("").unwrap().security.peer_tls.is_none());
}

#[test]
fn one_callers_share_is_bounded_where_callers_are_known_or_it_is_asked_for() {
    let share = |text: &str| resolve(text).unwrap().security.limits.per_caller;
    assert_eq!(share(""), None);
    assert_eq!(
        share("security: {api_keys_file: /k}"),
        Some(CallerLimits::default())
    );
    let asked = share("security: {limits: {burst: 7}}").unwrap();
    assert_eq!(asked.burst, 7);
}
