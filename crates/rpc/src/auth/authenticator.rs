//! From what a call shows to who makes it.
//!
//! A credential that is shown must be good: a bad token with a good certificate is refused, not ignored.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, header};

use super::api_keys::ApiKeys;
use super::fleet::FleetKeys;
use super::jwks::Jwks;
use super::jwt;
use super::pass_on::{API_KEY, CALLER, FLEET, PASSED_ON, PassOn, read_told};
use super::token_cache::{Fingerprint, TokenCache};
use super::{
    AuthOptions, Bucket, Caller, CertificateRule, JwtOptions, Role, Roles, Throttle, UnixTime,
};
use crate::server::{Door, Origin};
use crate::watched::Watched;
use crate::{ApiError, Principal, SecurityError};

/// Addresses whose failures are counted.
const MOST_ADDRESSES: usize = 10_000;
/// Failures in a row before an address has to wait.
const FAILURE_BURST: u32 = 20;

#[derive(Debug)]
pub(crate) struct Authenticator {
    local: Principal,
    /// None where nobody has to prove anything.
    checks: Option<Checks>,
}

#[derive(Debug)]
struct Checks {
    jwt: Option<(JwtOptions, Jwks)>,
    api_keys: Option<Watched<ApiKeys>>,
    certificates: Vec<CertificateRule>,
    peer_names: Vec<String>,
    fleet: Option<Arc<FleetKeys>>,
    cache: TokenCache,
    failures: Throttle<IpAddr>,
    time: UnixTime,
}

/// Whose calls are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LimitedBy {
    Principal(String),
    Address(IpAddr),
    /// Of the fleet itself; and what a peer passes on was counted there.
    Nothing,
}

/// What authentication adds to a call.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) caller: Caller,
    pub(crate) limited_by: LimitedBy,
    pub(crate) pass_on: Option<PassOn>,
}

impl Authenticator {
    pub(crate) fn open(
        local: Principal,
        options: AuthOptions,
        failures_per_minute: u32,
    ) -> Result<Self, SecurityError> {
        let checks = options.is_configured();
        let checks = checks.then(|| Checks::open(options, failures_per_minute));
        Ok(Self {
            local,
            checks: checks.transpose()?,
        })
    }

    /// Fetches what would otherwise be fetched while the first caller waits.
    pub(crate) async fn warm_up(&self) {
        if let Some(Checks {
            jwt: Some((_, keys)),
            ..
        }) = &self.checks
        {
            // A failure is in the log; the provider may come later than we do.
            let _ = keys.current().await;
        }
    }

    /// Takes credentials out of `headers`, and what only processes of the fleet may say out of everybody else's.
    pub(crate) async fn authenticate(
        &self,
        origin: Option<&Origin>,
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<Known, ApiError> {
        let Some(checks) = &self.checks else {
            headers.remove(CALLER);
            headers.remove(FLEET);
            return Ok(self.local(origin));
        };
        let (caller, limited_by) = match origin {
            Some(Origin::Inside(Door::Owner)) => (self.owner(), LimitedBy::Nothing),
            Some(Origin::Inside(Door::Services)) => (of_the_fleet(headers)?, LimitedBy::Nothing),
            Some(Origin::Network { remote, names }) => {
                let address = remote.map_or(IpAddr::from([0; 4]), |remote| network(remote.ip()));
                checks
                    .over_the_network(address, names, path, headers)
                    .await?
            }
            // Through no connection of ours.
            None => (Caller::nobody(), LimitedBy::Nothing),
        };
        for shown in [header::AUTHORIZATION, API_KEY, CALLER, FLEET] {
            headers.remove(shown);
        }
        let pass_on = PassOn {
            caller: caller.clone(),
            path: path.into(),
            keys: checks.fleet.clone(),
            time: checks.time.clone(),
        };
        Ok(Known {
            caller,
            limited_by,
            pass_on: Some(pass_on),
        })
    }

    fn local(&self, origin: Option<&Origin>) -> Known {
        let limited_by = match origin {
            Some(Origin::Network {
                remote: Some(remote),
                ..
            }) => LimitedBy::Address(network(remote.ip())),
            _ => LimitedBy::Nothing,
        };
        Known {
            caller: Caller::local(self.local.clone()),
            limited_by,
            pass_on: None,
        }
    }

    fn owner(&self) -> Caller {
        Caller {
            principal: self.local.clone(),
            roles: Roles::all(),
            authenticated: true,
        }
    }
}

/// In whose name a process of the fleet calls.
fn of_the_fleet(headers: &HeaderMap) -> Result<Caller, ApiError> {
    let Some(told) = headers.get(CALLER) else {
        return Ok(Caller::fleet());
    };
    let caller = told.to_str().ok().and_then(read_told);
    caller.ok_or_else(|| {
        unauthenticated("a call of the fleet names its caller in a way that cannot be read")
    })
}

impl Checks {
    fn open(options: AuthOptions, failures_per_minute: u32) -> Result<Self, SecurityError> {
        let AuthOptions {
            jwt,
            api_keys_file,
            certificates,
            peer_names,
            fleet_secret,
            time,
        } = options;
        if let Some(rule) = certificates
            .iter()
            .find(|r| r.roles.contains(&Role::Service))
        {
            let problem = format!(
                "{:?}: the role service is the fleet's own; list such names in security.peer_names",
                rule.name
            );
            return Err(SecurityError::setting("security.certificates", problem));
        }
        let open_jwt = |options: JwtOptions| {
            jwt::check(&options)?;
            let keys = Jwks::open(&options)?;
            Ok((options, keys))
        };
        let per_second = f64::from(failures_per_minute.max(1)) / 60.0;
        Ok(Self {
            jwt: jwt.map(open_jwt).transpose()?,
            api_keys: api_keys_file.as_deref().map(ApiKeys::watch).transpose()?,
            certificates,
            peer_names,
            fleet: fleet_secret
                .as_ref()
                .map(FleetKeys::open)
                .transpose()?
                .map(Arc::new),
            cache: TokenCache::default(),
            failures: Throttle::new(Bucket::new(per_second, FAILURE_BURST), MOST_ADDRESSES),
            time,
        })
    }

    async fn over_the_network(
        &self,
        address: IpAddr,
        names: &[String],
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<(Caller, LimitedBy), ApiError> {
        if self
            .is_peer(names, path, headers)
            .map_err(|error| self.failed(address, error))?
        {
            return Ok((of_the_fleet(headers)?, LimitedBy::Nothing));
        }
        // Whoever is no peer has passed nothing on.
        headers.remove(PASSED_ON);
        let caller = match credential(headers)? {
            Some(credential) => self.by_credential(address, credential).await?,
            None => match self
                .certificates
                .iter()
                .find(|rule| names.contains(&rule.name))
            {
                Some(rule) => Caller {
                    principal: Principal::new(rule.principal.as_str()),
                    roles: rule.roles.iter().copied().collect(),
                    authenticated: true,
                },
                None => return Ok((Caller::nobody(), LimitedBy::Address(address))),
            },
        };
        let limited_by = LimitedBy::Principal(caller.principal.to_string());
        Ok((caller, limited_by))
    }

    fn is_peer(&self, names: &[String], path: &str, headers: &HeaderMap) -> Result<bool, ApiError> {
        // Processes of the fleet pass on no credentials: whoever shows its own is taken by those.
        let own = headers.contains_key(header::AUTHORIZATION) || headers.contains_key(API_KEY);
        if !own && names.iter().any(|name| self.peer_names.contains(name)) {
            return Ok(true);
        }
        let (Some(keys), Some(signature)) = (&self.fleet, headers.get(FLEET)) else {
            return Ok(false);
        };
        let text = |value: Option<&http::HeaderValue>| {
            value.map_or(Some(String::new()), |value| {
                value.to_str().ok().map(str::to_owned)
            })
        };
        let verified = match (text(Some(signature)), text(headers.get(CALLER))) {
            (Some(signature), Some(caller)) => {
                keys.verify(&signature, self.time.now(), path, &caller)
            }
            _ => false,
        };
        match verified {
            true => Ok(true),
            false => Err(unauthenticated(
                "the call says to be of this fleet, and is not signed with its secret; check that all processes have the same one, and that their clocks agree",
            )),
        }
    }

    async fn by_credential(&self, address: IpAddr, shown: Shown) -> Result<Caller, ApiError> {
        let now = self.time.now();
        if shown.api_key {
            let Some(keys) = &self.api_keys else {
                return Err(self.failed(address, unauthenticated("API keys are not taken here")));
            };
            // Costs one hash, as a look into the cache would.
            let found = keys.current().verify(&shown.text, now);
            return found.map_err(|error| self.failed(address, unauthenticated(error.to_string())));
        }
        let fingerprint = Fingerprint::of(&shown.text);
        let Some((options, source)) = &self.jwt else {
            return Err(self.failed(
                address,
                unauthenticated("tokens are not taken here; send an API key"),
            ));
        };
        let no_keys = || {
            ApiError::unavailable(
                "IDENTITY_PROVIDER_UNREACHABLE",
                "the keys of the identity provider could not be fetched yet, so no token can be checked; ask again in a moment",
            )
        };
        let mut keys = source.current().await.ok_or_else(no_keys)?;
        if let Some(caller) = self.cache.get(fingerprint, keys.generation, now) {
            return Ok(caller);
        }
        self.patience(address)?;
        let mut verified = jwt::verify(&shown.text, &keys, options, now);
        if matches!(verified, Err(jwt::Refused::UnknownKey))
            && let Some(newer) = source.newer_than(&keys).await
        {
            keys = newer;
            verified = jwt::verify(&shown.text, &keys, options, now);
        }
        let accepted =
            verified.map_err(|error| self.failed(address, unauthenticated(error.to_string())))?;
        let caller = accepted.caller;
        self.cache.put(
            fingerprint,
            keys.generation,
            caller.clone(),
            accepted.valid_until,
            now,
        );
        Ok(caller)
    }

    /// Whether somebody at `address` may try; those whose credentials are known to be good are not asked.
    fn patience(&self, address: IpAddr) -> Result<(), ApiError> {
        self.failures
            .peek(&address, Instant::now())
            .map_err(|retry_after| ApiError::Overloaded {
                message: "too many calls from this address had credentials that are not good; wait, and check them".to_owned(),
                retry_after,
            })
    }

    fn failed(&self, address: IpAddr, error: ApiError) -> ApiError {
        match self.failures.take(&address, Instant::now()) {
            Ok(()) => {
                tracing::warn!(%address, %error, "a call was not authenticated");
                error
            }
            Err(retry_after) => ApiError::Overloaded {
                message: format!("{error}; and too many such calls came from this address: wait"),
                retry_after,
            },
        }
    }
}

struct Shown {
    text: String,
    api_key: bool,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(***)")
    }
}

fn credential(headers: &HeaderMap) -> Result<Option<Shown>, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let bearer = text
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, credential)| credential.trim())
            .filter(|credential| !credential.is_empty())
            .ok_or_else(|| {
                unauthenticated(
                    "the authorization is none that is taken; expected `Bearer <token or API key>`",
                )
            })?;
        return Ok(Some(Shown {
            api_key: ApiKeys::are(bearer),
            text: bearer.to_owned(),
        }));
    }
    let key = headers
        .get(API_KEY)
        .map(|value| value.to_str().unwrap_or_default());
    Ok(key.map(|key| Shown {
        text: key.to_owned(),
        api_key: true,
    }))
}

fn unauthenticated(message: impl Into<String>) -> ApiError {
    ApiError::Unauthenticated {
        message: message.into(),
    }
}

/// Of IPv6 the network of one customer, who has as many addresses in it as they like.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
