//! Another process of the fleet, and what it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::transport::Channel;

use crate::{AddressError, ChannelOptions, connect_lazy};

/// The metadata key of a call that was passed on once already.
pub const FORWARDED: &str = "kycc-forwarded";

/// A service of the fleet that another process has.
#[derive(Debug, Clone)]
pub struct Peer {
    pub service: &'static str,
    pub address: String,
    /// Connects when it is first used.
    pub channel: Channel,
}

impl Peer {
    /// `service` as the fleet calls it, e.g. `scoring`; `address` as `host:port`.
    pub fn new(service: &'static str, address: &str) -> Result<Self, AddressError> {
        Self::with(service, address, &ChannelOptions::default())
    }

    /// As [`new`](Self::new), reached in a way of its own.
    pub fn with(
        service: &'static str,
        address: &str,
        options: &ChannelOptions,
    ) -> Result<Self, AddressError> {
        Ok(Self {
            service,
            address: address.to_owned(),
            channel: connect_lazy(address, options)?,
        })
    }
}

/// gRPC services that other processes have, by full name: `kycc.scoring.v1.ScoringService`.
#[derive(Debug, Clone, Default)]
pub struct Peers(Arc<BTreeMap<&'static str, Peer>>);

impl Peers {
    #[must_use]
    pub fn get(&self, grpc_service: &str) -> Option<&Peer> {
        self.0.get(grpc_service)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl FromIterator<(&'static str, Peer)> for Peers {
    fn from_iter<I: IntoIterator<Item = (&'static str, Peer)>>(peers: I) -> Self {
        Self(Arc::new(peers.into_iter().collect()))
    }
}
