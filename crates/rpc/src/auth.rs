//! Who calls, and what they may do.
//!
//! ```text
//! credentials ──▶ Authenticator ──▶ Caller {principal, roles} ──▶ rule of the method ──▶ handler
//!   bearer JWT        one per server
//!   API key
//!   client certificate
//!   a peer's word for the caller of a call that it passes on
//! ```

mod api_keys;
mod authenticator;
mod caller;
mod fetch;
mod fleet;
mod jwk;
mod jwks;
mod jwt;
mod methods;
mod options;
mod pass_on;
mod role;
mod secret;
mod throttle;
mod token_cache;

pub use api_keys::{ApiKey, NewKey, draw_key};
pub(crate) use authenticator::{Authenticator, LimitedBy};
pub use caller::{Caller, caller};
pub use jwk::Algorithm;
pub use methods::{Effects, METHODS, MethodRule};
pub(crate) use methods::{Rule, rule};
pub use options::{AuthOptions, CertificateRule, FleetSecret, JwksSource, JwtOptions, UnixTime};
pub use pass_on::{in_the_name_of, pass_on};
pub use role::{Role, Roles};
pub use secret::Secret;
pub(crate) use throttle::{Bucket, Throttle};
