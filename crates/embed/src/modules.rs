//! The services of the fleet, all of them.

use kycc_runtime::Module;

/// Every service, in the order in which they are built. `kycc serve` picks from it by name.
#[must_use]
pub fn modules() -> Vec<Box<dyn Module>> {
    vec![
        kycc_ingestion::module(),
        kycc_features_kyc::module(),
        kycc_features_transaction::module(),
        kycc_features_network::module(),
        kycc_feature_store::module(),
        kycc_scoring::module(),
        kycc_labels::module(),
        kycc_training::module(),
        kycc_scorecards::module(),
        kycc_console::module(),
        // Last: when it takes up runs again, everybody it dispatches to is there.
        kycc_orchestrator::module(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_lanes_are_unique() {
        let modules = modules();
        let names: BTreeSet<_> = modules.iter().map(|module| module.name()).collect();
        assert_eq!(names.len(), modules.len());
        let lanes: Vec<_> = modules.iter().filter_map(|module| module.lane()).collect();
        let distinct: BTreeSet<_> = lanes.iter().collect();
        assert_eq!(distinct.len(), lanes.len());
    }
}
