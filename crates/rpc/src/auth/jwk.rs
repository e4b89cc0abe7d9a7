//! Public keys of an identity provider (RFC 7517), and the signatures that they verify (RFC 7518), by ring.
//!
//! Only asymmetric ones exist here: with no HMAC in the table, a token that is signed with a public key as if that were a
//! shared secret cannot even be tried.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// Shortest RSA modulus that is taken; ring refuses the same.
const MIN_RSA_BYTES: usize = 256;
/// A provider has a handful.
const MOST_KEYS: usize = 100;

/// Of a signature, as a token's header names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    fn fits(self, material: &Material) -> bool {
        use Algorithm::{ES256, ES384, EdDSA};
        match material {
            Material::Rsa { .. } => !matches!(self, ES256 | ES384 | EdDSA),
            Material::P256(_) => self == ES256,
            Material::P384(_) => self == ES384,
            Material::Ed25519(_) => self == EdDSA,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.into_iter();
        all.find(|algorithm| algorithm.to_string() == text)
            .ok_or(())
    }
}

#[derive(Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    /// Where the provider says so, the only one; else any that fits the material.
    algorithm: Option<Algorithm>,
    material: Material,
}

impl Key {
    pub(super) fn takes(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && algorithm.fits(&self.material)
    }

    /// Whether `signature` over `message` is this key's. False for an algorithm that it does not take.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.takes(algorithm) {
            return false;
        }
        let of = |with: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(with, key).verify(message, signature)
        };
        let verified = match &self.material {
            Material::P256(point) => of(&signature::ECDSA_P256_SHA256_FIXED, point),
            Material::P384(point) => of(&signature::ECDSA_P384_SHA384_FIXED, point),
            Material::Ed25519(key) => of(&signature::ED25519, key),
            Material::Rsa { n, e } => {
                let with = match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return false,
                };
                RsaPublicKeyComponents { n, e }.verify(with, message, signature)
            }
        };
        verified.is_ok()
    }
}

/// The keys of one provider at one moment.
#[derive(Debug)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    /// Tells one reading from another: what was verified by keys that are gone must be verified again.
    pub(super) generation: u64,
}

/// Distinct for every reading of keys in this process.
pub(super) fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Keys of kinds that are not taken (encryption, shared secrets, curves nobody knows here) are left out, as RFC 7517
    /// wants it; a set without any other is an error.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(json)
            .map_err(|error| format!("it is no JSON Web Key Set: {error}"))?;
        if document.keys.len() > MOST_KEYS {
            return Err(format!("it has more than {MOST_KEYS} keys"));
        }
        let keys: Vec<Key> = document.keys.into_iter().filter_map(key).collect();
        if keys.is_empty() {
            return Err(
                "it has no key for signatures (RSA of 2048 bits or more, P-256, P-384, Ed25519)"
                    .to_owned(),
            );
        }
        Ok(Self {
            keys,
            generation: next_generation(),
        })
    }

    /// The key that a token names; where it names none, the only one there is.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found<'_> {
        let named = |key: &&Key| match id {
            Some(id) => key.id.as_deref() == Some(id),
            None => self.keys.len() == 1,
        };
        let mut named = self.keys.iter().filter(named).peekable();
        if named.peek().is_none() {
            return Found::Unknown;
        }
        match named.find(|key| key.takes(algorithm)) {
            Some(key) => Found::Key(key),
            None => Found::OtherAlgorithm,
        }
    }
}

pub(super) enum Found<'a> {
    Key(&'a Key),
    /// There is a key of that name, for other signatures.
    OtherAlgorithm,
    Unknown,
}

fn key(json: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(json).ok()?;
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return None;
    }
    let algorithm = match jwk.alg.as_deref() {
        None => None,
        Some(name) => Some(name.parse().ok()?),
    };
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    let point = |length: usize| {
        let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
        (x.len() == length && y.len() == length).then(|| [vec![4], x, y].concat())
    };
    let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let unpadded = |bytes: Vec<u8>| bytes.into_iter().skip_while(|b| *b == 0).collect();
            let n: Vec<u8> = unpadded(bytes(&jwk.n)?);
            let e = unpadded(bytes(&jwk.e)?);
            (n.len() >= MIN_RSA_BYTES).then_some(Material::Rsa { n, e })?
        }
        ("EC", Some("P-256")) => Material::P256(point(32)?),
        ("EC", Some("P-384")) => Material::P384(point(48)?),
        ("OKP", Some("Ed25519")) => {
            let x = bytes(&jwk.x)?;
            (x.len() == 32).then_some(Material::Ed25519(x))?
        }
        _ => return None,
    };
    let key = Key {
        id: jwk.kid,
        algorithm,
        material,
    };
    // A key that says to be for an algorithm that it cannot be for is a mistake, or worse.
    algorithm.is_none_or(|own| key.takes(own)).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(keys: serde_json::Value) -> Result<KeySet, String> {
        KeySet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes())
    }

    #[test]
    fn keys_that_sign_nothing_or_share_a_secret_are_left_out() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let good = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": x});
        for (other, why) in [
            (
                serde_json::json!({"kty": "oct", "kid": "a", "k": x}),
                "shared",
            ),
            (
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "use": "enc", "x": x}),
                "enc",
            ),
            (
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "alg": "HS256", "x": x}),
                "HS256",
            ),
            (
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "alg": "RS256", "x": x}),
                "RS256",
            ),
            (
                serde_json::json!({"kty": "RSA", "n": x, "e": "AQAB"}),
                "short",
            ),
            (serde_json::json!("no key"), "no key"),
        ] {
            let set = parse(serde_json::json!([other, good])).unwrap();
            assert_eq!(set.keys.len(), 1, "{why}");
            assert!(parse(serde_json::json!([other])).is_err(), "{why}");
        }
        assert!(KeySet::parse(b"<html>").is_err());
    }

    #[test]
    fn a_key_is_found_by_its_name_and_for_its_algorithm() {
        let x = URL_SAFE_NO_PAD.encode([7; 32]);
        let key = |kid| serde_json::json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x});
        let one = parse(serde_json::json!([key("a")])).unwrap();
        let two = parse(serde_json::json!([key("a"), key("b")])).unwrap();
        let algorithm = Algorithm::EdDSA;
        assert!(matches!(one.find(None, algorithm), Found::Key(_)));
        assert!(matches!(two.find(None, algorithm), Found::Unknown));
        assert!(matches!(two.find(Some("b"), algorithm), Found::Key(_)));
        assert!(matches!(two.find(Some("c"), algorithm), Found::Unknown));
        assert!(matches!(
            two.find(Some("a"), Algorithm::ES256),
            Found::OtherAlgorithm
        ));
    }

    /// Public keys and what Python's `cryptography` signed with their private ones: `header.claims`.
    const SIGNATURES: &str = include_str!("../../tests/data/jwk_signatures.json");

    #[test]
    fn every_algorithm_verifies_its_own_signatures_and_nothing_else() {
        let vectors: Vec<serde_json::Value> = serde_json::from_str(SIGNATURES).unwrap();
        assert_eq!(vectors.len(), Algorithm::ALL.len());
        for vector in vectors {
            let own: Algorithm = vector["alg"].as_str().unwrap().parse().unwrap();
            let key = key(vector["key"].clone()).unwrap();
            let text = vector["signature"].as_str().unwrap();
            let mut signature = URL_SAFE_NO_PAD.decode(text).unwrap();
            let verifies = |algorithm, message: &[u8], signature: &[u8]| {
                key.verifies(algorithm, message, signature)
            };
            for algorithm in Algorithm::ALL {
                let verified = verifies(algorithm, b"header.claims", &signature);
                assert_eq!(verified, algorithm == own, "{own} as {algorithm}");
            }
            assert!(!verifies(own, b"header.claimz", &signature), "{own}");
            assert!(!verifies(own, b"header.claims", &[]), "{own}");
            signature[10] ^= 1;
            assert!(!verifies(own, b"header.claims", &signature), "{own}");
        }
    }
}
