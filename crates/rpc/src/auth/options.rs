//! What is configured about callers. Serialized for people to read, secrets masked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Algorithm, Role, Secret};

/// How callers prove who they are; with nothing set nobody has to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AuthOptions {
    pub jwt: Option<JwtOptions>,
    /// YAML or JSON; see [`draw_key`](super::draw_key) for an entry.
    pub api_keys_file: Option<PathBuf>,
    /// Whom certificates of clients stand for.
    pub certificates: Vec<CertificateRule>,
    /// Names in the certificates of the fleet's own processes.
    pub peer_names: Vec<String>,
    /// What processes of the fleet know each other by, where it is not by certificate.
    pub fleet_secret: Option<FleetSecret>,
    #[serde(skip)]
    pub time: UnixTime,
}

impl AuthOptions {
    /// Whether callers have to prove anything.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.jwt.is_some()
            || self.api_keys_file.is_some()
            || !self.certificates.is_empty()
            || !self.peer_names.is_empty()
            || self.fleet_secret.is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JwtOptions {
    /// `iss` of every token, to the letter.
    pub issuer: String,
    /// `aud` of every token, or one of it.
    pub audience: String,
    pub keys: JwksSource,
    /// Roots of the server of a JWKS URL; by default those of the system.
    pub jwks_ca_file: Option<PathBuf>,
    /// Signatures that are taken; never one by a shared secret.
    pub algorithms: Vec<Algorithm>,
    /// Whose value the principal is: `sub`, `email`, …
    pub principal_claim: String,
    /// Path by dots: `roles`, `realm_access.roles`. A claim of that very name goes first.
    pub roles_claim: String,
    /// kycc's role for a value of the claim. With it, only its values count; without it, the names of the roles.
    pub role_mapping: BTreeMap<String, Role>,
    /// For clocks that differ.
    pub leeway: Duration,
    /// Age of keys at which they are fetched again.
    pub refresh: Duration,
    /// Least time between two fetches, however many tokens name unknown keys.
    pub refresh_at_most_every: Duration,
}

impl JwtOptions {
    /// With the defaults of everything else.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: JwksSource) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
            jwks_ca_file: None,
            algorithms: Algorithm::ALL.to_vec(),
            principal_claim: "sub".to_owned(),
            roles_claim: "roles".to_owned(),
            role_mapping: BTreeMap::new(),
            leeway: Duration::from_secs(60),
            refresh: Duration::from_secs(600),
            refresh_at_most_every: Duration::from_secs(10),
        }
    }
}

/// Where the public keys of the identity provider are (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JwksSource {
    File(PathBuf),
    /// `https://…`, or `http://` on this machine.
    Url(String),
}

/// A client certificate's name, and whom it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRule {
    /// DNS name or URI of the certificate, to the letter.
    pub name: String,
    pub principal: String,
    pub roles: Vec<Role>,
}

/// Where the secret of the fleet is. In a file several lines are several secrets: the first signs, all are taken, which is
/// how it is rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FleetSecret {
    Value(Secret),
    File(PathBuf),
}

/// Seconds since 1970; tests choose them.
#[derive(Clone)]
pub struct UnixTime(Arc<dyn Fn() -> i64 + Send + Sync>);

impl UnixTime {
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> i64 {
        (self.0)()
    }
}

impl Default for UnixTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of the runtime stands above this crate, and is put in its place there"
    )]
    fn default() -> Self {
        Self::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })
        })
    }
}

impl PartialEq for UnixTime {
    /// Which clock it is makes no difference to what is configured.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnixTime")
    }
}
