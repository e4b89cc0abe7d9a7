//! API keys: `kycc_<id>_<secret>`. The file holds a hash of each secret, never the secret.
//!
//! Plain SHA-256 is right here: a secret is 256 random bits that kycc drew itself, so there is nothing to guess that a slow
//! hash would have to protect, and every call pays for the hash.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::jwt::is_principal;
use super::{Caller, Role, Secret};
use crate::watched::Watched;
use crate::{Principal, SecurityError};

const PREFIX: &str = "kycc_";
const SECRET_BYTES: usize = 32;
const HASH_BYTES: usize = 32;
const MOST_ID_BYTES: usize = 64;
const WHAT: &str = "API keys file";

/// An entry of the keys file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Lower-case letters, digits and `-`; tells keys apart in logs.
    pub id: String,
    /// SHA-256 of the secret, 64 hex digits.
    pub sha256: String,
    /// Whom the key stands for.
    pub principal: String,
    pub roles: Vec<Role>,
    /// After this instant it is refused (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<ApiKey>,
}

/// A key that was drawn a moment ago: the only time that it can be seen.
#[derive(Debug)]
pub struct NewKey {
    /// What the caller sends.
    pub key: Secret,
    /// What the keys file gets.
    pub entry: ApiKey,
}

impl NewKey {
    /// The entry as an element of `keys:` in the file.
    #[must_use]
    pub fn yaml(&self) -> String {
        let ApiKey {
            id,
            sha256,
            principal,
            roles,
            expires,
        } = &self.entry;
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        let mut text = format!(
            "  - id: {id}\n    sha256: {sha256}\n    principal: {}\n    roles: [{}]\n",
            // A JSON string is a YAML string, whatever is in it.
            serde_json::Value::String(principal.clone()),
            roles.join(", ")
        );
        if let Some(expires) = expires {
            // Writing to a string does not fail.
            let _ = writeln!(text, "    expires: {}", expires.to_rfc3339());
        }
        text
    }
}

/// Draws a key with a random secret of 256 bits.
pub fn draw_key(
    id: &str,
    principal: &str,
    roles: &[Role],
    expires: Option<DateTime<Utc>>,
) -> Result<NewKey, SecurityError> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| {
        SecurityError::setting("the random source", "the system gives no random bytes")
    })?;
    let secret = hex(&bytes);
    let entry = ApiKey {
        id: id.to_owned(),
        sha256: hex(digest(&SHA256, secret.as_bytes()).as_ref()),
        principal: principal.to_owned(),
        roles: roles.to_vec(),
        expires,
    };
    Entry::new(&entry).map_err(|problem| SecurityError::setting("the key", problem))?;
    Ok(NewKey {
        key: Secret::new(format!("{PREFIX}{id}_{secret}")),
        entry,
    })
}

#[derive(Debug)]
struct Entry {
    hash: [u8; HASH_BYTES],
    caller: Caller,
    expires_at: i64,
}

impl Entry {
    fn new(key: &ApiKey) -> Result<Self, String> {
        let id_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if key.id.is_empty() || key.id.len() > MOST_ID_BYTES || !key.id.chars().all(id_char) {
            return Err(format!(
                "the id {:?} is not made of 1 to {MOST_ID_BYTES} lower-case letters, digits and '-'",
                key.id
            ));
        }
        let of_key = |problem: &str| format!("key {}: {problem}", key.id);
        if !is_principal(&key.principal) {
            return Err(of_key(
                "the principal is empty, too long or has control characters",
            ));
        }
        if key.roles.is_empty() || key.roles.contains(&Role::Service) {
            return Err(of_key(
                "roles must be of viewer, ingester, operator and approver",
            ));
        }
        let hash = unhex(&key.sha256).ok_or_else(|| of_key("sha256 is not 64 hex digits"))?;
        Ok(Self {
            hash,
            caller: Caller {
                principal: Principal::new(key.principal.as_str()),
                roles: key.roles.iter().copied().collect(),
                authenticated: true,
            },
            expires_at: key.expires.map_or(i64::MAX, |at| at.timestamp()),
        })
    }
}

/// The keys of one reading of the file.
#[derive(Debug)]
pub(super) struct ApiKeys {
    entries: HashMap<String, Entry>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// Unknown id and wrong secret look the same.
    #[error("the API key is not known")]
    Unknown,
    #[error("the API key has expired; ask for a new one")]
    Expired,
}

impl ApiKeys {
    pub(super) fn watch(path: &Path) -> Result<Watched<Self>, SecurityError> {
        let from: PathBuf = path.to_owned();
        Watched::open(WHAT, vec![from.clone()], move || Self::read(&from))
    }

    fn read(path: &Path) -> Result<Self, SecurityError> {
        let unusable = |problem: String| SecurityError::file(WHAT, path, problem);
        let text = std::fs::read_to_string(path).map_err(SecurityError::read(WHAT, path))?;
        let document: Document =
            serde_saphyr::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let mut entries = HashMap::new();
        for key in document.keys {
            let entry = Entry::new(&key).map_err(unusable)?;
            let id = key.id;
            if entries.insert(id.clone(), entry).is_some() {
                return Err(unusable(format!("key {id} is there twice")));
            }
        }
        Ok(Self { entries })
    }

    /// Whether a credential looks like one of these.
    pub(super) fn are(credential: &str) -> bool {
        credential.starts_with(PREFIX)
    }

    pub(super) fn verify(&self, credential: &str, now: i64) -> Result<Caller, Refused> {
        let (id, secret) = credential
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(Refused::Unknown)?;
        let shown = digest(&SHA256, secret.as_bytes());
        let entry = self.entries.get(id).ok_or(Refused::Unknown)?;
        if !bool::from(entry.hash.ct_eq(shown.as_ref())) {
            return Err(Refused::Unknown);
        }
        if now >= entry.expires_at {
            return Err(Refused::Expired);
        }
        Ok(entry.caller.clone())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Result<ApiKeys, SecurityError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.yaml");
        std::fs::write(&path, text).unwrap();
        ApiKeys::read(&path)
    }

    #[test]
    fn a_drawn_key_is_taken_by_the_file_that_has_its_entry() {
        let expires = DateTime::from_timestamp(2_000, 0);
        let drawn = draw_key("feed-1", "feed: \"acme\"", &[Role::Ingester], expires).unwrap();
        let file = format!("keys:\n{}", drawn.yaml());
        assert!(!file.contains(drawn.key.expose()) && !format!("{drawn:?}").contains("kycc_"));
        let keys = keys(&file).unwrap();
        let caller = keys.verify(drawn.key.expose(), 1_999).unwrap();
        assert_eq!(caller.principal.as_str(), "feed: \"acme\"");
        assert_eq!(caller.roles, [Role::Ingester].into_iter().collect());
        assert_eq!(
            keys.verify(drawn.key.expose(), 2_000),
            Err(Refused::Expired)
        );
        for other in [
            "kycc_",
            "kycc_feed-1",
            "kycc_feed-1_",
            "kycc_feed-2_00",
            "x",
        ] {
            assert_eq!(keys.verify(other, 0), Err(Refused::Unknown), "{other}");
        }
        let mut altered = drawn.key.expose().to_owned();
        let last = if altered.ends_with('0') { "1" } else { "0" };
        altered.replace_range(altered.len() - 1.., last);
        assert_eq!(keys.verify(&altered, 0), Err(Refused::Unknown));
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_by_the_key() {
        let hash = "0".repeat(64);
        let entry = |id: &str, hash: &str, roles: &str| {
            format!("  - {{id: {id}, sha256: \"{hash}\", principal: p, roles: [{roles}]}}\n")
        };
        for (file, said) in [
            (entry("A_b", &hash, "viewer"), "A_b"),
            (entry("a", "00", "viewer"), "64 hex digits"),
            (entry("a", &hash, "service"), "roles must be"),
            (entry("a", &hash, ""), "roles must be"),
            (entry("a", &hash, "viewer").repeat(2), "twice"),
            (entry("a", &hash, "boss"), "boss"),
        ] {
            let error = keys(&format!("keys:\n{file}")).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
