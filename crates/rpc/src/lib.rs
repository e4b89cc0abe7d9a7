//! What every gRPC service and client of the fleet shares: errors, the layers of a server, channels, page tokens.

mod channel;
mod client_error;
mod error;
mod health;
mod layers;
mod page;
mod peer;
mod principal;
mod server;
mod time;
mod traced;

pub use channel::{AddressError, ChannelOptions, connect_lazy};
pub use client_error::ClientError;
pub use error::{ApiError, DOMAIN, FieldViolation};
pub use health::{Health, is_serving};
pub use page::{page_size, page_token, position_token, read_page_token, read_position_token};
pub use peer::{FORWARDED, Peer, Peers};
pub use principal::{Principal, principal};
pub use server::{Bound, RunningServer, ServerError, ServerOptions, Services, bind};
pub use time::timestamp;
pub use traced::traced;
