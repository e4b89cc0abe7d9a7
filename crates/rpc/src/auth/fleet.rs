//! How processes of one fleet know each other's calls where it is not by certificate: by a secret that they share, which
//! itself never travels. A call carries a signature over its time, its path and whom it is made for.
//!
//! ```text
//! kycc-fleet:  <unix seconds> <hex of HMAC-SHA-256>
//! kycc-caller: <base64url of {"principal":…,"roles":[…]}>
//! ```
//!
//! Who reads along can repeat such a call for a minute, so between machines it goes through TLS as everything else does.

use std::path::{Path, PathBuf};

use ring::hmac;

use super::api_keys::{hex, unhex};
use super::{FleetSecret, Secret};
use crate::SecurityError;
use crate::watched::Watched;

const MIN_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
/// How far clocks of processes may differ, and how long a call may be on its way.
const WINDOW_SECONDS: i64 = 60;
const WHAT: &str = "fleet secret file";

pub(crate) struct FleetKeys(Watched<Vec<hmac::Key>>);

impl std::fmt::Debug for FleetKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FleetKeys(***)")
    }
}

impl FleetKeys {
    pub(super) fn open(secret: &FleetSecret) -> Result<Self, SecurityError> {
        match secret {
            FleetSecret::Value(secret) => {
                let secret: Secret = secret.clone();
                let keys = move || {
                    keys(secret.expose())
                        .map_err(|problem| SecurityError::setting("security.fleet_secret", problem))
                };
                Watched::open("fleet secret", Vec::new(), keys).map(Self)
            }
            FleetSecret::File(path) => {
                let from: PathBuf = path.clone();
                let keys = move || read(&from);
                Watched::open(WHAT, vec![path.clone()], keys).map(Self)
            }
        }
    }

    /// By the first secret.
    pub(super) fn sign(&self, now: i64, path: &str, caller: &str) -> String {
        let keys = self.0.current();
        let tag = hmac::sign(&keys[0], &message(now, path, caller));
        format!("{now} {}", hex(tag.as_ref()))
    }

    /// Whether any of the secrets made `signature`, a moment ago.
    pub(super) fn verify(&self, signature: &str, now: i64, path: &str, caller: &str) -> bool {
        let Some((at, mac)) = signature.split_once(' ') else {
            return false;
        };
        let (Ok(at), Some(mac)) = (at.parse::<i64>(), unhex::<MAC_BYTES>(mac)) else {
            return false;
        };
        if now.saturating_sub(at).saturating_abs() > WINDOW_SECONDS {
            return false;
        }
        let message = message(at, path, caller);
        let keys = self.0.current();
        keys.iter()
            .any(|key| hmac::verify(key, &message, &mac).is_ok())
    }
}

/// Neither a path nor a header has a line break.
fn message(at: i64, path: &str, caller: &str) -> Vec<u8> {
    format!("kycc-fleet-v1\n{at}\n{path}\n{caller}").into_bytes()
}

fn read(path: &Path) -> Result<Vec<hmac::Key>, SecurityError> {
    let text = std::fs::read_to_string(path).map_err(SecurityError::read(WHAT, path))?;
    keys(&text).map_err(|problem| SecurityError::file(WHAT, path, problem))
}

/// One per line.
fn keys(text: &str) -> Result<Vec<hmac::Key>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let key = |line: &str| match line.len() < MIN_BYTES {
        true => Err(format!(
            "a fleet secret has at least {MIN_BYTES} characters; draw one with `openssl rand -hex 32`"
        )),
        false => Ok(hmac::Key::new(hmac::HMAC_SHA256, line.as_bytes())),
    };
    let keys: Vec<_> = lines.map(key).collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err("it is empty; draw a secret with `openssl rand -hex 32`".to_owned()),
        false => Ok(keys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> FleetKeys {
        FleetKeys::open(&FleetSecret::Value(Secret::new(text))).unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_call_its_caller_and_its_minute() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let keys = of(&old);
        let signature = keys.sign(1_000, "/a/B", "ann");
        assert!(keys.verify(&signature, 1_060, "/a/B", "ann"));
        assert!(keys.verify(&signature, 940, "/a/B", "ann"));
        for (now, path, caller) in [
            (1_061, "/a/B", "ann"),
            (939, "/a/B", "ann"),
            (1_000, "/a/C", "ann"),
            (1_000, "/a/B", "bob"),
        ] {
            assert!(
                !keys.verify(&signature, now, path, caller),
                "{now} {path} {caller}"
            );
        }
        for forged in [
            "",
            "1000",
            "1000 ",
            "1000 zz",
            "x 00",
            &format!("1000 {}", "0".repeat(64)),
        ] {
            assert!(!keys.verify(forged, 1_000, "/a/B", "ann"), "{forged}");
        }
        assert!(!of(&new).verify(&signature, 1_000, "/a/B", "ann"));
        // While secrets change, both are taken.
        assert!(of(&format!("{new}\n{old}\n")).verify(&signature, 1_000, "/a/B", "ann"));
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused_and_not_shown() {
        for text in ["", "\n", "hunter2"] {
            let secret = FleetSecret::Value(Secret::new(text));
            let error = FleetKeys::open(&secret).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
