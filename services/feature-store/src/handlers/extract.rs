//! `extract_features`: the three extractors' rows of the task's shard, joined, checked and written.

#[cfg(test)]
pub(crate) mod tests;

use crate::core::join::{JoinError, Part, join, same_count};
use crate::core::validate::{InvalidValue, validate, values};
use arrow::array::RecordBatch;
use async_trait::async_trait;
use kycc_domain::catalogue::FEATURES;
use kycc_domain::feature_means::{FeatureSums, summarize};
use kycc_lake::datasets::{FEATURE_VECTORS, KYC_FEATURES, NETWORK_FEATURES, TRANSACTION_FEATURES};
use kycc_lake::{Lake, Manifest};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use serde_json::Value;
use std::ops::Range;

/// Parties joined at once: bounds memory whatever the size of the shard.
const CHUNK: u32 = 64 * 1024;

/// Key of the as-of time in the metadata of the extractors' versions.
pub(super) const AS_OF: &str = "as_of";

pub(crate) struct ExtractFeatures;

#[async_trait]
impl TaskHandler for ExtractFeatures {
    fn asset(&self) -> &'static str {
        "extract_features"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let parts = Parts::open(cx).await?;
        let range = cx.shard().ordinals(parts.parties);
        let mut writer = cx.writer(&FEATURE_VECTORS);
        let mut sums = FeatureSums::new(None);
        let total = range.len() as u64;

        for start in range.clone().step_by(CHUNK as usize) {
            cx.check_cancelled()?;
            let chunk = start..range.end.min(start.saturating_add(CHUNK));
            let vectors = parts.join(cx.lake(), chunk.clone()).await?;
            validate(&vectors).map_err(|error| invalid(&error))?;
            sums.add(|feature| column(&vectors, feature));
            writer.write(&vectors).await?;
            cx.progress(u64::from(chunk.end - range.start), total);
        }

        cx.info(format!(
            "{total} feature vectors of {} features joined and checked",
            FEATURES.len()
        ));
        let mut metadata = sums.into_metadata();
        metadata.extend(parts.as_of.map(|as_of| (AS_OF.to_owned(), as_of)));
        let published = writer.finish(metadata, summarize).await?;
        Ok(Output {
            published: vec![published],
            ..Output::default()
        })
    }
}

fn column<'a>(vectors: &'a RecordBatch, feature: &str) -> &'a [f64] {
    let spec = FEATURES.iter().find(|spec| spec.name == feature);
    values(vectors, spec.expect("sums are of the catalogue's features"))
}

/// The versions of the three extractors, which agree on the number of parties and the as-of time.
struct Parts {
    manifests: [Manifest; 3],
    parties: u32,
    /// Absent where rows were given by hand.
    as_of: Option<Value>,
}

impl Parts {
    async fn open(cx: &TaskContext) -> Result<Self, TaskError> {
        let kyc = cx.lake().existing(&cx.input(KYC_FEATURES.name)?).await?;
        let transaction = cx
            .lake()
            .existing(&cx.input(TRANSACTION_FEATURES.name)?)
            .await?;
        let network = cx
            .lake()
            .existing(&cx.input(NETWORK_FEATURES.name)?)
            .await?;
        for part in [&transaction, &network] {
            same_count(
                (part.dataset.as_str(), part.rows),
                (kyc.dataset.as_str(), kyc.rows),
            )
            .map_err(disagree)?;
        }
        let manifests = [kyc, transaction, network];
        Ok(Self {
            parties: manifests[0].rows as u32,
            as_of: as_of(&manifests)?,
            manifests,
        })
    }

    async fn join(&self, lake: &Lake, chunk: Range<u32>) -> Result<RecordBatch, TaskError> {
        let [kyc, transaction, network] = &self.manifests;
        let read = |part: &Manifest| {
            let (version, chunk) = (part.version(), chunk.clone());
            async move { lake.read(&version, None, Some(chunk)).await }
        };
        let rows = [
            read(kyc).await?,
            read(transaction).await?,
            read(network).await?,
        ];
        let [kyc_rows, transaction_rows, network_rows] = &rows;
        join(&[
            part(kyc, kyc_rows),
            part(transaction, transaction_rows),
            part(network, network_rows),
        ])
        .map_err(disagree)
    }
}

fn part<'a>(manifest: &'a Manifest, rows: &'a RecordBatch) -> Part<'a> {
    Part {
        dataset: manifest.dataset.as_str(),
        rows,
    }
}

/// Features of different instants do not make one vector.
fn as_of(manifests: &[Manifest]) -> Result<Option<Value>, TaskError> {
    let known = |manifest: &Manifest| {
        let as_of = manifest.metadata.get(AS_OF)?.clone();
        Some((manifest.dataset.clone(), as_of))
    };
    let mut times = manifests.iter().filter_map(known);
    let Some((first_dataset, first)) = times.next() else {
        return Ok(None);
    };
    match times.find(|(_, other)| *other != first) {
        None => Ok(Some(first)),
        Some((dataset, other)) => Err(TaskError::fatal(
            "AS_OF_DISAGREES",
            format!(
                "{first_dataset} is as of {first}, but {dataset} as of {other}; extract the features of this batch again"
            ),
        )),
    }
}

fn disagree(error: JoinError) -> TaskError {
    let task_error = TaskError::fatal("FEATURES_DISAGREE", error.to_string());
    match &error {
        JoinError::Party { dataset, party, .. } => {
            task_error.with_record(format!("{dataset}: party {party}"))
        }
        JoinError::RowCount { .. } => task_error,
        JoinError::Assemble { .. } => task_error.with_source(error),
    }
}

fn invalid(error: &InvalidValue) -> TaskError {
    TaskError::fatal("FEATURE_OUT_OF_RANGE", error.to_string())
        .with_record(format!("party {}, {}", error.party, error.feature))
}
