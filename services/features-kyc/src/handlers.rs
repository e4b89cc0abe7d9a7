//! `extract_kyc_features`: one query over the parties of the task's shard.

#[cfg(test)]
mod tests;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use async_trait::async_trait;
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;
use kycc_domain::catalogue::Source;
use kycc_domain::feature_means::{FeatureSums, summarize};
use kycc_lake::SessionLimits;
use kycc_lake::datasets::{KYC_FEATURES, PARTIES};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};

const QUERY: &str = include_str!("../sql/kyc_features.sql");

pub(crate) struct ExtractKycFeatures;

#[async_trait]
impl TaskHandler for ExtractKycFeatures {
    fn asset(&self) -> &'static str {
        "extract_kyc_features"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let as_of = cx.as_of().await?;
        let parties = cx.input(PARTIES.name)?;
        let count = cx.lake().existing(&parties).await?.rows;
        let range = cx.shard().ordinals(count as u32);
        let total = range.len() as u64;

        let session = cx.lake().session(SessionLimits {
            threads: cx.threads(),
            memory_bytes: cx.memory_bytes(),
        })?;
        session.register("parties", &parties, Some(range)).await?;
        let instant =
            ScalarValue::TimestampMicrosecond(Some(as_of.timestamp_micros()), Some("UTC".into()));
        let mut rows = session
            .sql_stream("kyc_features.sql", QUERY, vec![("as_of", instant)])
            .await?;

        let mut writer = cx.writer(&KYC_FEATURES);
        let mut sums = FeatureSums::new(Some(Source::Kyc));
        let (mut done, mut verified) = (0, 0.0);
        while let Some(batch) = rows.try_next().await? {
            cx.check_cancelled()?;
            let column = |name: &str| &batch[name].as_primitive::<Float64Type>().values()[..];
            sums.add(column);
            verified += column("kyc_verified").iter().sum::<f64>();
            writer.write(&batch).await?;
            done += batch.num_rows() as u64;
            cx.progress(done, total);
        }

        cx.info(format!(
            "{done} parties as of {as_of}, {verified} of them verified"
        ));
        if verified * 2.0 < done as f64 {
            cx.warning(format!(
                "{verified} of {done} parties are verified: fewer than half; check kyc_verified in the batch"
            ));
        }
        let mut metadata = sums.into_metadata();
        metadata.insert("as_of".into(), as_of.to_rfc3339().into());
        let published = writer.finish(metadata, summarize).await?;
        Ok(Output {
            published: vec![published],
            ..Output::default()
        })
    }
}
