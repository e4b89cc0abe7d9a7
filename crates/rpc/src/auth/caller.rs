//! Who makes a call, and what they may do.

use tonic::Request;

use super::{Role, Roles};
use crate::Principal;

/// As the server's authentication found it; in the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    pub roles: Roles,
    /// Whether callers prove who they are. False where no authentication is configured: then everybody who reaches the
    /// process is its local principal, and two names need not be two people.
    pub authenticated: bool,
}

/// As which the fleet acts when nobody in particular asked it to.
const FLEET: &str = "fleet";

impl Caller {
    /// Everybody, where no authentication is configured.
    #[must_use]
    pub fn local(principal: Principal) -> Self {
        Self {
            principal,
            roles: Roles::all(),
            authenticated: false,
        }
    }

    /// Somebody who showed nothing where something is asked for.
    pub(crate) fn nobody() -> Self {
        Self {
            principal: Principal::anonymous(),
            roles: Roles::NONE,
            authenticated: true,
        }
    }

    pub(crate) fn fleet() -> Self {
        Self {
            principal: Principal::new(FLEET),
            roles: Roles::of_the_fleet(),
            authenticated: true,
        }
    }

    /// Whether a handler may do for this caller what `role` is needed for.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.roles.allow(role)
    }
}

/// The caller of a request. A request that came through no server (in tests) has nobody, who may do nothing.
#[must_use]
pub fn caller<T>(request: &Request<T>) -> Caller {
    let found = request.extensions().get::<Caller>().cloned();
    found.unwrap_or_else(Caller::nobody)
}
