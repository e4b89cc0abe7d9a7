//! What the modules of the binary offer: the lanes that they answer, the sources that they observe, their gRPC services.

use std::collections::{BTreeMap, BTreeSet};

use crate::Module;

/// Of every module that the binary has, also of those that another process of the fleet serves: a pipeline is checked
/// against it wherever the orchestrator happens to run, and calls find their way by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleTable {
    /// Names of the modules.
    pub modules: BTreeSet<&'static str>,
    pub lanes: BTreeSet<&'static str>,
    pub sources: BTreeSet<&'static str>,
    /// Who has it, by the full name of the gRPC service.
    pub grpc: BTreeMap<&'static str, &'static str>,
    /// Who observes it, by the name of the source.
    pub observers: BTreeMap<&'static str, &'static str>,
}

impl ModuleTable {
    #[must_use]
    pub fn of(modules: &[Box<dyn Module>]) -> Self {
        let observers: BTreeMap<_, _> = modules
            .iter()
            .flat_map(|module| {
                module
                    .sources()
                    .iter()
                    .map(|source| (*source, module.name()))
            })
            .collect();
        Self {
            modules: modules.iter().map(|module| module.name()).collect(),
            lanes: modules.iter().filter_map(|module| module.lane()).collect(),
            sources: observers.keys().copied().collect(),
            grpc: modules
                .iter()
                .flat_map(|module| module.grpc().iter().map(|grpc| (*grpc, module.name())))
                .collect(),
            observers,
        }
    }
}
