//! What every gRPC service and client of the fleet shares: errors, the layers of a server, who
//! calls it, channels, page tokens.

mod auth;
mod channel;
mod client_error;
mod error;
mod health;
mod layers;
mod limits;
mod page;
mod peer;
mod principal;
mod request_id;
mod security_error;
mod server;
mod time;
mod tls;
mod traced;
mod watched;

pub use auth::{
    Algorithm, ApiKey, AuthOptions, Caller, CertificateRule, Effects, FleetSecret, JwksSource,
    JwtOptions, METHODS, MethodRule, NewKey, Role, Roles, Secret, UnixTime, caller, draw_key,
    in_the_name_of, pass_on,
};
pub use channel::{AddressError, ChannelOptions, connect_lazy};
pub use client_error::ClientError;
pub use error::{ApiError, DOMAIN, FieldViolation};
pub use health::{Health, is_serving, is_serving_over};
pub use limits::{CallerLimits, Limits};
pub use page::{
    PageKey, page_size, page_token, position_token, read_page_token, read_position_token,
};
pub use peer::{FORWARDED, Peer, Peers};
pub use principal::{Principal, principal};
pub use request_id::check_request_id;
pub use security_error::SecurityError;
pub use server::{Bound, Door, RunningServer, ServerError, ServerOptions, Services, bind};
pub use time::timestamp;
pub use tls::{ClientTls, ServerTls};
pub use traced::traced;
