//! What one source says about security: every key optional, unknown keys refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kycc_rpc::{
    Algorithm, AuthOptions, CallerLimits, CertificateRule, ClientTls, FleetSecret, JwksSource,
    JwtOptions, Limits, Role, Secret, ServerTls,
};
use serde::Deserialize;

use super::super::ConfigError;
use super::SecurityConfig;

/// A secret as it stands in a file or the environment; it is not printed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(Secret);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

/// A section whose keys are all optional; what the other source sets wins, key by key.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)* } $(nested { $($inner:ident: $of:ty,)* })?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(pub $field: Option<$type>,)*
            $($(pub $inner: Option<$of>,)*)?
        }

        impl $name {
            pub(crate) fn overridden_by(self, other: Self) -> Self {
                Self {
                    $($field: other.$field.or(self.$field),)*
                    $($($inner: match (self.$inner, other.$inner) {
                        (Some(one), Some(other)) => Some(one.overridden_by(other)),
                        (one, other) => other.or(one),
                    },)*)?
                }
            }
        }
    };
}

section! {
    /// `security:` of a file; the environment has its keys as listed in docs/security.md.
    SecurityLayer {
        allow_unauthenticated: bool,
        allow_plaintext: bool,
        api_keys_file: PathBuf,
        certificates: Vec<CertificateRule>,
        peer_names: Vec<String>,
        fleet_secret: SecretText,
        fleet_secret_file: PathBuf,
    }
    nested {
        tls: ServerTlsLayer,
        jwt: JwtLayer,
        peer_tls: ClientTlsLayer,
        limits: LimitsLayer,
    }
}

section! {
    /// `security.tls`
    ServerTlsLayer {
        cert_file: PathBuf,
        key_file: PathBuf,
        client_ca_file: PathBuf,
        require_client_cert: bool,
    }
}

section! {
    /// `security.peer_tls`
    ClientTlsLayer {
        ca_file: PathBuf,
        cert_file: PathBuf,
        key_file: PathBuf,
        domain_name: String,
    }
}

section! {
    /// `security.jwt`
    JwtLayer {
        issuer: String,
        audience: String,
        jwks_file: PathBuf,
        jwks_url: String,
        jwks_ca_file: PathBuf,
        algorithms: Vec<Algorithm>,
        principal_claim: String,
        roles_claim: String,
        role_mapping: BTreeMap<String, Role>,
        leeway_seconds: u64,
        refresh_seconds: u64,
        refresh_at_most_every_seconds: u64,
    }
}

section! {
    /// `security.limits`
    LimitsLayer {
        max_connections: usize,
        max_handshakes: usize,
        handshake_timeout_seconds: u64,
        max_streams_per_connection: u32,
        max_connection_age_seconds: u64,
        max_connection_age_grace_seconds: u64,
        max_message_bytes: usize,
        calls_per_second: u32,
        burst: u32,
        concurrent_calls: usize,
        failed_authentications_per_minute: u32,
    }
}

fn missing(key: &str, beside: &str) -> ConfigError {
    ConfigError::value(key, "", &format!("a value beside {beside}"))
}

impl SecurityLayer {
    pub(crate) fn resolve(self) -> Result<SecurityConfig, ConfigError> {
        let fleet_secret = match (self.fleet_secret, self.fleet_secret_file) {
            (None, None) => None,
            (Some(SecretText(secret)), None) => Some(FleetSecret::Value(secret)),
            (None, Some(file)) => Some(FleetSecret::File(file)),
            (Some(_), Some(_)) => {
                return Err(ConfigError::value(
                    "security.fleet_secret",
                    "***",
                    "nothing beside fleet_secret_file: one of the two",
                ));
            }
        };
        let auth = AuthOptions {
            jwt: self.jwt.map(JwtLayer::resolve).transpose()?,
            api_keys_file: self.api_keys_file,
            certificates: self.certificates.unwrap_or_default(),
            peer_names: self.peer_names.unwrap_or_default(),
            fleet_secret,
            ..AuthOptions::default()
        };
        let tls = self.tls.map(ServerTlsLayer::resolve).transpose()?;
        let peer_tls = match self.peer_tls {
            Some(layer) => Some(layer.resolve(tls.as_ref())?),
            None => tls.as_ref().map(of_the_same_fleet),
        };
        let limits = self.limits.unwrap_or_default();
        Ok(SecurityConfig {
            limits: limits.resolve(auth.is_configured())?,
            auth,
            tls,
            peer_tls,
            allow_unauthenticated: self.allow_unauthenticated.unwrap_or(false),
            allow_plaintext: self.allow_plaintext.unwrap_or(false),
        })
    }
}

/// Processes of one fleet have certificates of one root, and show the same to clients and to each other.
fn of_the_same_fleet(tls: &ServerTls) -> ClientTls {
    let mutual = tls.client_ca_file.is_some();
    ClientTls {
        ca_file: tls.client_ca_file.clone(),
        cert_file: mutual.then(|| tls.cert_file.clone()),
        key_file: mutual.then(|| tls.key_file.clone()),
        domain_name: None,
    }
}

impl ServerTlsLayer {
    fn resolve(self) -> Result<ServerTls, ConfigError> {
        const SECTION: &str = "the other keys of security.tls";
        let tls = ServerTls {
            cert_file: self
                .cert_file
                .ok_or_else(|| missing("security.tls.cert_file", SECTION))?,
            key_file: self
                .key_file
                .ok_or_else(|| missing("security.tls.key_file", SECTION))?,
            client_ca_file: self.client_ca_file,
            require_client_cert: self.require_client_cert.unwrap_or(false),
        };
        if tls.require_client_cert && tls.client_ca_file.is_none() {
            return Err(missing(
                "security.tls.client_ca_file",
                "require_client_cert",
            ));
        }
        Ok(tls)
    }
}

impl ClientTlsLayer {
    fn resolve(self, server: Option<&ServerTls>) -> Result<ClientTls, ConfigError> {
        let default = server.map(of_the_same_fleet).unwrap_or_default();
        let tls = ClientTls {
            ca_file: self.ca_file.or(default.ca_file),
            cert_file: self.cert_file.or(default.cert_file),
            key_file: self.key_file.or(default.key_file),
            domain_name: self.domain_name,
        };
        match (&tls.cert_file, &tls.key_file) {
            (Some(_), None) => Err(missing("security.peer_tls.key_file", "cert_file")),
            (None, Some(_)) => Err(missing("security.peer_tls.cert_file", "key_file")),
            _ => Ok(tls),
        }
    }
}

impl JwtLayer {
    fn resolve(self) -> Result<JwtOptions, ConfigError> {
        const SECTION: &str = "the other keys of security.jwt";
        let keys = match (self.jwks_file, self.jwks_url) {
            (Some(file), None) => JwksSource::File(file),
            (None, Some(url)) => JwksSource::Url(url),
            _ => {
                return Err(ConfigError::value(
                    "security.jwt",
                    "jwks_file, jwks_url",
                    "exactly one of the two",
                ));
            }
        };
        let required = |value: Option<String>, key| value.ok_or_else(|| missing(key, SECTION));
        let default = JwtOptions::new(
            required(self.issuer, "security.jwt.issuer")?,
            required(self.audience, "security.jwt.audience")?,
            keys,
        );
        let seconds = |set: Option<u64>, default| set.map_or(default, Duration::from_secs);
        Ok(JwtOptions {
            jwks_ca_file: self.jwks_ca_file,
            algorithms: self.algorithms.unwrap_or(default.algorithms),
            principal_claim: self.principal_claim.unwrap_or(default.principal_claim),
            roles_claim: self.roles_claim.unwrap_or(default.roles_claim),
            role_mapping: self.role_mapping.unwrap_or(default.role_mapping),
            leeway: seconds(self.leeway_seconds, default.leeway),
            refresh: seconds(self.refresh_seconds, default.refresh),
            refresh_at_most_every: seconds(
                self.refresh_at_most_every_seconds,
                default.refresh_at_most_every,
            ),
            issuer: default.issuer,
            audience: default.audience,
            keys: default.keys,
        })
    }
}

impl LimitsLayer {
    /// One caller's share is bounded where callers are known, or where it is asked for.
    fn resolve(self, known_callers: bool) -> Result<Limits, ConfigError> {
        let at_least_one = [
            ("max_connections", self.max_connections),
            ("max_handshakes", self.max_handshakes),
            ("concurrent_calls", self.concurrent_calls),
            ("burst", self.burst.map(|n| n as usize)),
            (
                "calls_per_second",
                self.calls_per_second.map(|n| n as usize),
            ),
            (
                "max_streams_per_connection",
                self.max_streams_per_connection.map(|n| n as usize),
            ),
            (
                "handshake_timeout_seconds",
                self.handshake_timeout_seconds.map(|n| usize::from(n > 0)),
            ),
            (
                "max_connection_age_seconds",
                self.max_connection_age_seconds.map(|n| usize::from(n > 0)),
            ),
            (
                "failed_authentications_per_minute",
                self.failed_authentications_per_minute.map(|n| n as usize),
            ),
        ];
        if let Some((key, _)) = at_least_one.into_iter().find(|(_, set)| *set == Some(0)) {
            let key = format!("security.limits.{key}");
            return Err(ConfigError::value(&key, "0", "at least 1"));
        }
        const MIN_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
        if let Some(bytes) = self.max_message_bytes.filter(|n| *n < MIN_MESSAGE_BYTES) {
            return Err(ConfigError::value(
                "security.limits.max_message_bytes",
                &bytes.to_string(),
                "at least 4194304 (4 MiB), the longest message",
            ));
        }
        let asked = self.calls_per_second.is_some()
            || self.burst.is_some()
            || self.concurrent_calls.is_some();
        let one = CallerLimits::default();
        let per_caller = CallerLimits {
            calls_per_second: self.calls_per_second.unwrap_or(one.calls_per_second),
            burst: self.burst.unwrap_or(one.burst),
            concurrent_calls: self.concurrent_calls.unwrap_or(one.concurrent_calls),
        };
        let default = Limits::default();
        let seconds = |set: Option<u64>, default| set.map_or(default, Duration::from_secs);
        Ok(Limits {
            max_connections: self.max_connections.unwrap_or(default.max_connections),
            max_handshakes: self.max_handshakes.unwrap_or(default.max_handshakes),
            handshake_timeout: seconds(self.handshake_timeout_seconds, default.handshake_timeout),
            max_streams_per_connection: self
                .max_streams_per_connection
                .unwrap_or(default.max_streams_per_connection),
            max_connection_age: self.max_connection_age_seconds.map(Duration::from_secs),
            max_connection_age_grace: seconds(
                self.max_connection_age_grace_seconds,
                default.max_connection_age_grace,
            ),
            max_message_bytes: self.max_message_bytes.unwrap_or(default.max_message_bytes),
            per_caller: (asked || known_callers).then_some(per_caller),
            failed_authentications_per_minute: self
                .failed_authentications_per_minute
                .unwrap_or(default.failed_authentications_per_minute),
        })
    }
}
