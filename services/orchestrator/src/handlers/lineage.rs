//! GetLineage: the asset graph around one asset, for one batch, and what of it is up to date.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kycc_domain::ids::{AssetKey, BatchId, DatasetName};
use kycc_proto::orchestrator::v1 as api;
use kycc_rpc::ApiError;

use super::{Api, failures};
use crate::core::Version;
use crate::definitions::{AssetDef, Definitions};
use crate::store::StoredMaterialization;
use crate::wire;

impl Api {
    pub(super) async fn lineage(
        &self,
        request: api::GetLineageRequest,
    ) -> Result<api::GetLineageResponse, ApiError> {
        let definitions = self.catalogue.current();
        let Some(asset) = definitions.asset(&request.asset) else {
            return Err(ApiError::not_found("asset", &request.asset));
        };
        let Some(batch) = failures::batch_filter(&request.batch_id)? else {
            return Err(ApiError::invalid("batch_id", "is empty; name the batch"));
        };
        let shown = around(&definitions, &asset.key, request.direction(), request.depth);
        // Of what is upstream of those shown too: whether they are up to date hangs on it.
        let mut current = HashMap::new();
        for key in shown
            .iter()
            .chain(shown.iter().flat_map(|key| deps(&definitions, key)))
        {
            if !current.contains_key(key) {
                let found = self.store.current(key, Some(&batch)).await;
                let found = found.map_err(failures::store)?;
                current.insert(key.clone(), found.into_iter().next());
            }
        }
        let look = Look {
            definitions: &definitions,
            batch: &batch,
            current: &current,
        };
        let in_order: Vec<AssetKey> = shown.iter().cloned().collect();
        let nodes = definitions.in_order(&in_order).into_iter();
        Ok(api::GetLineageResponse {
            nodes: nodes.map(|asset| look.node(asset, &shown)).collect(),
        })
    }
}

fn deps<'a>(definitions: &'a Definitions, key: &AssetKey) -> &'a [AssetKey] {
    definitions
        .asset(key.as_str())
        .map_or(&[], |asset| &asset.deps)
}

/// The asset, and those within `depth` steps of it; 0 steps mean all.
fn around(
    definitions: &Definitions,
    asset: &AssetKey,
    direction: api::LineageDirection,
    depth: u32,
) -> BTreeSet<AssetKey> {
    let upstream = |key: &AssetKey| deps(definitions, key).to_vec();
    let downstream = |key: &AssetKey| {
        let users = definitions.assets.iter().filter(|a| a.deps.contains(key));
        users.map(|asset| asset.key.clone()).collect()
    };
    let mut found = BTreeSet::from([asset.clone()]);
    if direction != api::LineageDirection::Downstream {
        found.extend(reach(asset, depth, upstream));
    }
    if direction != api::LineageDirection::Upstream {
        found.extend(reach(asset, depth, downstream));
    }
    found
}

fn reach(
    from: &AssetKey,
    depth: u32,
    next: impl Fn(&AssetKey) -> Vec<AssetKey>,
) -> BTreeSet<AssetKey> {
    let mut found = BTreeSet::new();
    let mut edge = vec![from.clone()];
    let mut steps = 0;
    while !edge.is_empty() && (depth == 0 || steps < depth) {
        edge = edge.iter().flat_map(&next).collect();
        edge.retain(|key| found.insert(key.clone()));
        steps += 1;
    }
    found
}

struct Look<'a> {
    definitions: &'a Definitions,
    batch: &'a BatchId,
    current: &'a HashMap<AssetKey, Option<StoredMaterialization>>,
}

impl Look<'_> {
    fn current(&self, key: &AssetKey) -> Option<&StoredMaterialization> {
        self.current.get(key)?.as_ref()
    }

    fn node(&self, asset: &AssetDef, shown: &BTreeSet<AssetKey>) -> api::LineageNode {
        let made = self.current(&asset.key);
        let upstream = asset.deps.iter().filter(|dep| shown.contains(*dep));
        api::LineageNode {
            asset: asset.key.to_string(),
            upstream: upstream.map(ToString::to_string).collect(),
            materialization: made.map(wire::materialization_to_wire),
            stale_because: match made {
                Some(made) => self.stale(made),
                None => vec![format!(
                    "{} was not materialized for {}",
                    asset.key, self.batch
                )],
            },
        }
    }

    /// Compares what it was made from with what is current now; datasets of other batches do not count.
    fn stale(&self, made: &StoredMaterialization) -> Vec<String> {
        let read = made
            .inputs
            .iter()
            .filter(|input| &input.batch == self.batch);
        let read: BTreeMap<&DatasetName, &Version> =
            read.map(|input| (&input.dataset, input)).collect();
        read.into_iter()
            .filter_map(|(dataset, input)| {
                let maker = self.definitions.maker(dataset)?;
                let now = self.current(&maker.key)?;
                let now = now
                    .outputs
                    .iter()
                    .find(|version| &version.dataset == dataset)?;
                (now.key != input.key)
                    .then(|| format!("{dataset} was made anew by {} since it was read", maker.key))
            })
            .collect()
    }
}
