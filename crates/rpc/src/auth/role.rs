//! What a caller may do, in five words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Ingester, operator and approver each may also look; none of them includes another. `service` is the fleet's own: no
/// token, key or certificate of a caller can carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Brings in batches and outcomes.
    Ingester,
    /// Launches, cancels and retries runs, proposes changes.
    Operator,
    /// Decides about scorecards and rules.
    Approver,
    /// Processes of the fleet among themselves.
    Service,
}

impl Role {
    const ALL: [Self; 5] = [
        Self::Viewer,
        Self::Ingester,
        Self::Operator,
        Self::Approver,
        Self::Service,
    ];
    /// Those that a caller can be given.
    const OF_CALLERS: &str = "viewer, ingester, operator or approver";

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Ingester => "ingester",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Service => "service",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Of callers: `service` is not read.
impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut roles = Self::ALL.into_iter();
        roles
            .find(|role| role.as_str() == text && *role != Self::Service)
            .ok_or_else(|| format!("{text:?} is no role; expected {}", Self::OF_CALLERS))
    }
}

/// A set of roles.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    pub const NONE: Self = Self(0);

    /// Of whoever owns the process: where no authentication is configured, everybody who reaches it.
    #[must_use]
    pub fn all() -> Self {
        Role::ALL.into_iter().collect()
    }

    /// Of the fleet itself: it looks, brings in and runs on behalf of callers who were let in, and decides nothing.
    #[must_use]
    pub fn of_the_fleet() -> Self {
        [Role::Service, Role::Viewer, Role::Ingester, Role::Operator]
            .into_iter()
            .collect()
    }

    #[must_use]
    pub fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether they suffice where `needed` is asked for: any role may look.
    #[must_use]
    pub fn allow(self, needed: Role) -> bool {
        self.has(needed) || (needed == Role::Viewer && self.0 != 0)
    }

    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

/// `viewer, operator`, or `none`.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        let names: Vec<_> = self.iter().map(Role::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roles({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_may_look_and_none_includes_another() {
        let beyond = [
            Role::Ingester,
            Role::Operator,
            Role::Approver,
            Role::Service,
        ];
        for held in Role::ALL {
            let roles = Roles::from_iter([held]);
            assert!(roles.allow(Role::Viewer), "{held}");
            for needed in beyond {
                assert_eq!(roles.allow(needed), held == needed, "{held} for {needed}");
            }
        }
        assert!(!Roles::NONE.allow(Role::Viewer));
        assert!(!Roles::of_the_fleet().allow(Role::Approver));
    }

    #[test]
    fn nobody_is_given_the_role_of_the_fleet_by_its_name() {
        "service".parse::<Role>().unwrap_err();
        assert_eq!("approver".parse(), Ok(Role::Approver));
    }
}
