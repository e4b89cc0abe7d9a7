//! Calls that go on to another process, or that a service makes because somebody called it: they keep the name of who
//! asked first. Only the fleet's own word for it is taken.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tonic::Request;

use super::fleet::FleetKeys;
use super::{Caller, Role, Roles, UnixTime};
use crate::{FORWARDED, Principal};

pub(super) const CALLER: HeaderName = HeaderName::from_static("kycc-caller");
pub(super) const FLEET: HeaderName = HeaderName::from_static("kycc-fleet");
pub(super) const PASSED_ON: HeaderName = HeaderName::from_static(FORWARDED);
pub(super) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Who asked, for the next process to take this one's word for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    principal: String,
    roles: Vec<Role>,
}

fn told(caller: &Caller) -> HeaderValue {
    let told = Told {
        principal: caller.principal.to_string(),
        roles: caller.roles.iter().collect(),
    };
    let json = serde_json::to_vec(&told).unwrap_or_default();
    // Base64 is always a header.
    HeaderValue::try_from(URL_SAFE_NO_PAD.encode(json)).unwrap_or(HeaderValue::from_static(""))
}

pub(super) fn read_told(value: &str) -> Option<Caller> {
    let json = URL_SAFE_NO_PAD.decode(value).ok()?;
    let told: Told = serde_json::from_slice(&json).ok()?;
    Some(Caller {
        principal: Principal::new(told.principal),
        roles: told.roles.into_iter().collect(),
        authenticated: true,
    })
}

/// How this request is passed on; in the extensions of every request of a server with authentication.
#[derive(Debug, Clone)]
pub(crate) struct PassOn {
    pub(super) caller: Caller,
    pub(super) path: Arc<str>,
    /// None where certificates do it.
    pub(super) keys: Option<Arc<FleetKeys>>,
    pub(super) time: UnixTime,
}

impl PassOn {
    fn stamp(&self, headers: &mut HeaderMap) {
        let caller = told(&self.caller);
        if let Some(keys) = &self.keys {
            let shown = caller.to_str().unwrap_or_default();
            let signature = keys.sign(self.time.now(), &self.path, shown);
            if let Ok(mut signature) = HeaderValue::try_from(signature) {
                signature.set_sensitive(true);
                headers.insert(FLEET, signature);
            }
        }
        headers.insert(CALLER, caller);
    }
}

/// Makes `headers` those of the call with `extensions`, passed on to another process: marked as such, and with its caller
/// where callers are known. The caller's own credentials stay here.
pub fn pass_on(extensions: &Extensions, headers: &mut HeaderMap) {
    for own in [http::header::AUTHORIZATION, API_KEY, CALLER, FLEET] {
        headers.remove(own);
    }
    headers.insert(PASSED_ON, HeaderValue::from_static("1"));
    if let Some(pass_on) = extensions.get::<PassOn>() {
        pass_on.stamp(headers);
    }
}

/// A call that a service makes to its fleet because `principal` asked it to: what it starts is theirs, though it is the
/// service that may start it. Through the channel of the fleet to itself only; from elsewhere it would not be believed.
pub fn in_the_name_of<T>(principal: &Principal, mut request: Request<T>) -> Request<T> {
    let caller = Caller {
        principal: principal.clone(),
        roles: Roles::of_the_fleet(),
        authenticated: true,
    };
    request
        .metadata_mut()
        .as_mut()
        .insert(CALLER, told(&caller));
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_arrives_whatever_the_name() {
        for name in ["ann", "Änne \"x\" \n y", ""] {
            let caller = Caller {
                principal: Principal::new(name),
                roles: [Role::Operator, Role::Viewer].into_iter().collect(),
                authenticated: true,
            };
            let header = told(&caller);
            assert_eq!(read_told(header.to_str().unwrap()), Some(caller));
        }
        for other in ["", "ä", "e30", "bm8"] {
            assert_eq!(read_told(other), None);
        }
    }

    #[test]
    fn what_callers_sent_of_their_own_does_not_go_on() {
        let mut headers = HeaderMap::new();
        for name in ["authorization", "x-api-key", "kycc-caller", "kycc-fleet"] {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        pass_on(&Extensions::default(), &mut headers);
        assert_eq!(headers.len(), 1);
        assert!(headers.contains_key(FORWARDED));
    }
}
