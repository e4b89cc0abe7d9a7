//! Who makes a call.

use std::collections::BTreeMap;
use std::fmt;

use tonic::Request;

/// The caller, as authentication found it: in `dev` the user of the operating system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal(String);

impl Principal {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Nobody that authentication knows.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new("anonymous")
    }

    /// The user of the operating system, from `environment`.
    #[must_use]
    pub fn os_user(environment: &BTreeMap<String, String>) -> Self {
        ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .filter_map(|key| environment.get(*key))
            .find(|name| !name.is_empty())
            .map_or_else(Self::anonymous, Self::new)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom the server's authentication took the caller for.
#[must_use]
pub fn principal<T>(request: &Request<T>) -> Principal {
    request
        .extensions()
        .get::<Principal>()
        .cloned()
        .unwrap_or_else(Principal::anonymous)
}
