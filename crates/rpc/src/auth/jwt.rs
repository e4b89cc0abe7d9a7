//! Tokens of an identity provider: JSON Web Tokens (RFC 7519), checked as RFC 8725 advises.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::jwk::{Algorithm, Found, KeySet};
use super::{Caller, JwtOptions, Role, Roles};
use crate::{Principal, SecurityError};

/// Longer than any principal needs to be.
const MOST_PRINCIPAL_BYTES: usize = 256;

/// Why a token is not taken. What callers are told helps them to get a better one, not to make one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the token is no JSON Web Token")]
    Malformed,
    #[error("the token's signature algorithm is not accepted")]
    Algorithm,
    #[error("the token's key is not known")]
    UnknownKey,
    #[error("the token's key is not for its signature algorithm")]
    KeyForOther,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token lacks a usable {claim:?}")]
    Claim { claim: String },
}

/// A token that holds.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) caller: Caller,
    /// Seconds since 1970, leeway included.
    pub(super) valid_until: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that must be understood; none is.
    crit: Option<Value>,
}

/// `now`: seconds since 1970.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    options: &JwtOptions,
    now: i64,
) -> Result<Accepted, Refused> {
    let (message, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(Refused::Malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
    let header: Header =
        serde_json::from_slice(&decoded(header)?).map_err(|_| Refused::Malformed)?;
    if header.crit.is_some() || !header.typ.as_deref().is_none_or(is_access_token) {
        return Err(Refused::Malformed);
    }
    let algorithm: Algorithm = header.alg.parse().map_err(|()| Refused::Algorithm)?;
    if !options.algorithms.contains(&algorithm) {
        return Err(Refused::Algorithm);
    }
    let key = match keys.find(header.kid.as_deref(), algorithm) {
        Found::Key(key) => key,
        Found::OtherAlgorithm => return Err(Refused::KeyForOther),
        Found::Unknown => return Err(Refused::UnknownKey),
    };
    if !key.verifies(algorithm, message.as_bytes(), &decoded(signature)?) {
        return Err(Refused::Signature);
    }
    // Nothing of the claims is looked at before the signature holds.
    let claims: Map<String, Value> =
        serde_json::from_slice(&decoded(claims)?).map_err(|_| Refused::Malformed)?;
    accept(&claims, options, now)
}

fn is_access_token(typ: &str) -> bool {
    let typ = typ.strip_prefix("application/").unwrap_or(typ);
    typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("at+jwt")
}

fn accept(
    claims: &Map<String, Value>,
    options: &JwtOptions,
    now: i64,
) -> Result<Accepted, Refused> {
    if claims.get("iss").and_then(Value::as_str) != Some(&options.issuer) {
        return Err(Refused::Issuer);
    }
    let for_us = |audience: &Value| audience.as_str() == Some(&options.audience);
    let audience = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(for_us),
        Some(one) => for_us(one),
        None => false,
    };
    if !audience {
        return Err(Refused::Audience);
    }
    let leeway = i64::try_from(options.leeway.as_secs()).unwrap_or(i64::MAX);
    let lacks = |claim: &str| Refused::Claim {
        claim: claim.to_owned(),
    };
    let valid_until = seconds(claims, "exp")?
        .ok_or_else(|| lacks("exp"))?
        .saturating_add(leeway);
    if now >= valid_until {
        return Err(Refused::Expired);
    }
    if seconds(claims, "nbf")?.is_some_and(|from| now.saturating_add(leeway) < from) {
        return Err(Refused::NotYet);
    }
    let name = claim(claims, &options.principal_claim)
        .and_then(Value::as_str)
        .filter(|name| is_principal(name))
        .ok_or_else(|| lacks(&options.principal_claim))?;
    Ok(Accepted {
        caller: Caller {
            principal: Principal::new(name),
            roles: roles(claims, options),
            authenticated: true,
        },
        valid_until,
    })
}

/// Names stand in logs and in the audit: no control characters.
pub(super) fn is_principal(name: &str) -> bool {
    !name.trim().is_empty()
        && name.len() <= MOST_PRINCIPAL_BYTES
        && !name.chars().any(char::is_control)
}

/// Whole or with a fraction (RFC 7519, NumericDate).
fn seconds(claims: &Map<String, Value>, claim: &str) -> Result<Option<i64>, Refused> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is out of range saturates, which is as far off"
    )]
    let time = value.as_i64().or_else(|| value.as_f64().map(|t| t as i64));
    time.map(Some).ok_or_else(|| Refused::Claim {
        claim: claim.to_owned(),
    })
}

/// By its whole name first: `https://kycc/roles` has dots and is no path.
fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let (first, rest) = path.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// An array of names, or names between blanks as in `scope`. What is no role of ours is somebody else's.
fn roles(claims: &Map<String, Value>, options: &JwtOptions) -> Roles {
    let role = |name: &str| -> Option<Role> {
        if options.role_mapping.is_empty() {
            return name.parse().ok();
        }
        let mapped = options.role_mapping.get(name).copied();
        mapped.filter(|role| *role != Role::Service)
    };
    match claim(claims, &options.roles_claim) {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter_map(role)
            .collect(),
        Some(Value::String(names)) => names.split_whitespace().filter_map(role).collect(),
        _ => Roles::NONE,
    }
}

/// What cannot work whatever tokens say.
pub(super) fn check(options: &JwtOptions) -> Result<(), SecurityError> {
    let wrong = |key, problem: &str| Err(SecurityError::setting(key, problem));
    if options.issuer.is_empty() {
        return wrong(
            "security.jwt.issuer",
            "it is empty; it must equal the tokens' `iss`",
        );
    }
    if options.audience.is_empty() {
        return wrong(
            "security.jwt.audience",
            "it is empty; it must be in the tokens' `aud`",
        );
    }
    if options.algorithms.is_empty() {
        return wrong(
            "security.jwt.algorithms",
            "it is empty, so no token could be taken",
        );
    }
    if options
        .role_mapping
        .values()
        .any(|role| *role == Role::Service)
    {
        return wrong(
            "security.jwt.role_mapping",
            "the role service is the fleet's own; map to viewer, ingester, operator or approver",
        );
    }
    Ok(())
}
