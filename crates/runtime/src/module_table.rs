//! What the modules of the binary offer to pipelines: the lanes that they answer, the sources that they observe.

use std::collections::BTreeSet;

use crate::Module;

/// Of every module that the binary has, also of those that another process of the fleet serves: a pipeline is checked
/// against it wherever the orchestrator happens to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleTable {
    pub lanes: BTreeSet<&'static str>,
    pub sources: BTreeSet<&'static str>,
}

impl ModuleTable {
    #[must_use]
    pub fn of(modules: &[Box<dyn Module>]) -> Self {
        Self {
            lanes: modules.iter().filter_map(|module| module.lane()).collect(),
            sources: modules
                .iter()
                .flat_map(|module| module.sources().iter().copied())
                .collect(),
        }
    }
}
