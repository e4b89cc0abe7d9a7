//! `extract_network_features`: the graph of all relationships, reach of the parties of the task's shard.

mod relationships;
#[cfg(test)]
mod tests;

use crate::core::graph::Graph;
use crate::core::reach::{Limits, Reach, ReachError, Watch, reach};
use crate::core::rows::{NetworkColumns, columns};
use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use async_trait::async_trait;
use kycc_domain::catalogue::Source;
use kycc_domain::feature_means::{FeatureSums, summarize};
use kycc_lake::VersionId;
use kycc_lake::datasets::{NETWORK_FEATURES, PARTIES, RELATIONSHIPS};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use std::ops::Range;
use std::sync::Arc;

pub(crate) struct ExtractNetworkFeatures;

#[async_trait]
impl TaskHandler for ExtractNetworkFeatures {
    fn asset(&self) -> &'static str {
        "extract_network_features"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let as_of = cx.as_of().await?;
        let parties = cx.input(PARTIES.name)?;
        let count = cx.lake().existing(&parties).await?.rows as u32;
        let range = cx.shard().ordinals(count);

        let found = relationships::established(cx, &cx.input(RELATIONSHIPS.name)?, as_of).await?;
        let (rows, later) = (found.pairs.len(), found.later);
        let graph = Graph::new(count, found.pairs).map_err(|error| {
            TaskError::fatal("RELATIONSHIP_UNKNOWN_PARTY", error.to_string()).with_record(format!(
                "relationships: ordinals {} to {}",
                error.from, error.to
            ))
        })?;
        cx.info(format!(
            "{rows} relationships of {count} parties established by {as_of}, joining {} distinct pairs; {later} later \
             ones left out",
            graph.edges()
        ));

        let reach = downstream(cx, &graph, range.clone())?;
        let columns = columns(&graph, range.clone(), &reach);
        tell(cx, &columns);

        let rows = assemble(cx, &parties, range, columns).await?;
        let mut sums = FeatureSums::new(Some(Source::Network));
        sums.add(|feature| rows[feature].as_primitive::<Float64Type>().values());
        let mut writer = cx.writer(&NETWORK_FEATURES);
        writer.write(&rows).await?;
        let mut metadata = sums.into_metadata();
        metadata.insert("as_of".into(), as_of.to_rfc3339().into());
        let published = writer.finish(metadata, summarize).await?;
        Ok(Output {
            published: vec![published],
            ..Output::default()
        })
    }
}

fn downstream(cx: &TaskContext, graph: &Graph, range: Range<u32>) -> Result<Reach, TaskError> {
    let limits = Limits {
        threads: cx.threads(),
        memory_bytes: cx.memory_bytes(),
    };
    let cancelled = cx.cancel_flag();
    let watch = Watch {
        cancelled: &cancelled,
        progress: &|done, total| cx.progress(done, total),
    };
    reach(graph, range, limits, &watch).map_err(|error| match error {
        ReachError::Cancelled => TaskError::cancelled(),
        ReachError::Threads { .. } => {
            TaskError::transient("THREADS_UNAVAILABLE", error.to_string()).with_source(error)
        }
    })
}

fn tell(cx: &TaskContext, columns: &NetworkColumns) {
    let parties = columns.network_size.len();
    let alone = columns
        .direct_counterparty_count
        .iter()
        .filter(|&&count| count == 0.0)
        .count();
    let widest = columns
        .network_size
        .iter()
        .fold(0.0, |widest: f64, &size| widest.max(size));
    cx.info(format!(
        "{parties} parties followed downstream: the widest network has {widest} parties, {alone} parties have no \
         relationship"
    ));
    if alone * 2 > parties {
        cx.warning(format!(
            "{alone} of {parties} parties have no relationship: more than half; check the relationships of the batch"
        ));
    }
}

async fn assemble(
    cx: &TaskContext,
    parties: &VersionId,
    range: Range<u32>,
    columns: NetworkColumns,
) -> Result<RecordBatch, TaskError> {
    let ids = cx
        .lake()
        .read(parties, Some(&["party_ord", "party_id"]), Some(range))
        .await?;
    let features = [
        columns.direct_counterparty_count,
        columns.network_depth_downstream,
        columns.network_size,
        columns.supplier_count,
        columns.customer_count,
        columns.network_balance_ratio,
    ];
    let features = features.map(|values| Arc::new(Float64Array::from(values)) as ArrayRef);
    let columns = ids.columns().iter().cloned().chain(features).collect();
    RecordBatch::try_new(NETWORK_FEATURES.schema(), columns).map_err(|error| {
        TaskError::fatal(
            "PARTIES_INCOMPLETE",
            format!("{parties} does not hold one row per party; ingest the batch again"),
        )
        .with_source(error)
    })
}
