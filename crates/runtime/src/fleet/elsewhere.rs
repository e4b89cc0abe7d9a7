//! Which modules this process serves, and where it finds the others.

use std::collections::{BTreeMap, BTreeSet};

use kycc_rpc::{Peer, Peers};

use super::StartError;
use super::open::peer_options;
use crate::{ConfigError, FleetConfig, Module, ModuleTable};

/// Those that the config names; all, where it names none.
pub(super) fn chosen(
    mut modules: Vec<Box<dyn Module>>,
    services: &[String],
) -> Result<Vec<Box<dyn Module>>, StartError> {
    if services.is_empty() {
        return Ok(modules);
    }
    let known: BTreeSet<_> = modules.iter().map(|module| module.name()).collect();
    if let Some(unknown) = services.iter().find(|name| !known.contains(name.as_str())) {
        return Err(StartError::UnknownService {
            service: unknown.clone(),
            known: Vec::from_iter(known).join(", "),
        });
    }
    modules.retain(|module| services.iter().any(|name| name == module.name()));
    Ok(modules)
}

/// The services that other processes have.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    pub(super) grpc: Peers,
    /// By the name of the source.
    pub(super) observers: BTreeMap<&'static str, Peer>,
}

impl Elsewhere {
    /// `here`: names of the modules that this process serves; where peers are told of them too, they are not asked.
    pub(super) fn new(
        config: &FleetConfig,
        table: &ModuleTable,
        here: &BTreeSet<&'static str>,
    ) -> Result<Self, StartError> {
        let known = &table.modules;
        if let Some(unknown) = config.peers.keys().find(|p| !known.contains(p.as_str())) {
            let expected = format!(
                "one of {}",
                Vec::from_iter(known.iter().copied()).join(", ")
            );
            return Err(ConfigError::value("peers", unknown, &expected).into());
        }
        let options = peer_options(config);
        let mut peers: BTreeMap<&'static str, Peer> = BTreeMap::new();
        for service in known.difference(here) {
            if let Some(address) = config.peers.get(*service) {
                peers.insert(service, Peer::with(service, address, &options)?);
            }
        }
        let at = |(name, owner): (&&'static str, &&'static str)| {
            Some((*name, peers.get(*owner)?.clone()))
        };
        Ok(Self {
            grpc: table.grpc.iter().filter_map(at).collect(),
            observers: table.observers.iter().filter_map(at).collect(),
        })
    }
}
