//! Questions to the graph: order, upstream, who makes a dataset.

use std::collections::BTreeSet;

use kycc_domain::ids::{AssetKey, DatasetName};

use super::types::{AssetDef, Definitions, JobDef};
use crate::core::RetryPolicy;

impl Definitions {
    pub(crate) fn asset(&self, key: &str) -> Option<&AssetDef> {
        self.assets.iter().find(|asset| asset.key.as_str() == key)
    }

    pub(crate) fn job(&self, name: &str) -> Option<&JobDef> {
        self.jobs.iter().find(|job| job.name == name)
    }

    /// The asset that produces a dataset.
    pub(crate) fn maker(&self, dataset: &DatasetName) -> Option<&AssetDef> {
        self.assets.iter().find(|a| a.outputs.contains(dataset))
    }

    pub(crate) fn retries(&self, asset: &AssetDef) -> RetryPolicy {
        asset.retries.unwrap_or(self.retries)
    }

    /// Everything that an asset depends on, directly or not; itself only in a cycle.
    pub(crate) fn all_upstream(&self, key: &AssetKey) -> BTreeSet<AssetKey> {
        let mut found = BTreeSet::new();
        let mut open = vec![key.clone()];
        while let Some(next) = open.pop() {
            for dep in self.asset(next.as_str()).iter().flat_map(|a| &a.deps) {
                if found.insert(dep.clone()) {
                    open.push(dep.clone());
                }
            }
        }
        found
    }

    /// The selection with every asset after those that it depends on; otherwise in the order of the file.
    pub(crate) fn in_order(&self, selection: &[AssetKey]) -> Vec<&AssetDef> {
        let mut chosen: Vec<&AssetDef> = self
            .assets
            .iter()
            .filter(|asset| selection.contains(&asset.key))
            .collect();
        let mut ordered: Vec<&AssetDef> = Vec::with_capacity(chosen.len());
        while !chosen.is_empty() {
            let ready = chosen.iter().position(|asset| {
                let upstream = self.all_upstream(&asset.key);
                !chosen
                    .iter()
                    .any(|other| other.key != asset.key && upstream.contains(&other.key))
            });
            // Checked definitions have no cycle, so one is always ready.
            ordered.push(chosen.remove(ready.unwrap_or(0)));
        }
        ordered
    }

    /// Positions, in an ordered selection, of the steps that one must wait for. Upstream assets that are not selected
    /// are passed through: of a ← b ← c without b, c still waits for a.
    pub(crate) fn upstream_positions(&self, ordered: &[&AssetDef], at: usize) -> Vec<usize> {
        let upstream = self.all_upstream(&ordered[at].key);
        (0..at)
            .filter(|p| upstream.contains(&ordered[*p].key))
            .collect()
    }

    /// A cycle in words, if there is one.
    pub(crate) fn cycle(&self) -> Option<String> {
        let start = self
            .assets
            .iter()
            .find(|asset| self.all_upstream(&asset.key).contains(&asset.key))?;
        let members: Vec<&str> = self
            .assets
            .iter()
            .filter(|asset| {
                let upstream = self.all_upstream(&asset.key);
                upstream.contains(&start.key) && self.all_upstream(&start.key).contains(&asset.key)
            })
            .map(|asset| asset.key.as_str())
            .collect();
        Some(members.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::DEFAULT;
    use super::*;

    #[test]
    fn a_selection_is_ordered_whatever_order_it_was_given_in() {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let selection: Vec<AssetKey> = ["refine_scorecard", "score_batch", "extract_features"]
            .map(|key| key.parse().unwrap())
            .to_vec();
        let ordered = definitions.in_order(&selection);
        let keys: Vec<_> = ordered.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(
            keys,
            ["extract_features", "score_batch", "refine_scorecard"]
        );
        assert_eq!(definitions.upstream_positions(&ordered, 2), [0, 1]);
    }

    #[test]
    fn datasets_know_their_maker() {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let maker = definitions.maker(&"outcomes".parse().unwrap()).unwrap();
        assert_eq!(maker.key.as_str(), "ingest_synthetic_batch");
    }
}
