//! `extract_txn_features`: one query over the transactions of the task's shard.

#[cfg(test)]
mod tests;

use crate::core::window::{MONTH_STARTS, Window};
use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;
use kycc_domain::catalogue::Source;
use kycc_domain::feature_means::{FeatureSums, summarize};
use kycc_lake::datasets::{PARTIES, TRANSACTION_FEATURES, TRANSACTIONS};
use kycc_lake::{RecordBatchStream, SessionLimits};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use std::ops::Range;

const QUERY: &str = include_str!("../sql/transaction_features.sql");

pub(crate) struct ExtractTxnFeatures;

#[async_trait]
impl TaskHandler for ExtractTxnFeatures {
    fn asset(&self) -> &'static str {
        "extract_txn_features"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let window = window(cx.as_of().await?)?;
        let parties = cx.lake().existing(&cx.input(PARTIES.name)?).await?.rows;
        let range = cx.shard().ordinals(parties as u32);
        let total = range.len() as u64;
        let mut rows = query(cx, range, &window).await?;

        let mut writer = cx.writer(&TRANSACTION_FEATURES);
        let mut sums = FeatureSums::new(Some(Source::Transaction));
        let (mut done, mut silent, mut transactions) = (0, 0, 0.0);
        while let Some(batch) = rows.try_next().await? {
            cx.check_cancelled()?;
            let column = |name: &str| &batch[name].as_primitive::<Float64Type>().values()[..];
            sums.add(column);
            let counts = column("transaction_count_6m");
            transactions += counts.iter().sum::<f64>();
            silent += counts.iter().filter(|&&count| count == 0.0).count() as u64;
            writer.write(&batch).await?;
            done += batch.num_rows() as u64;
            cx.progress(done, total);
        }

        cx.info(format!(
            "{transactions} transactions of {done} parties from {} to {}",
            window.start, window.as_of
        ));
        if silent * 2 > done {
            cx.warning(format!(
                "{silent} of {done} parties have no transaction from {} to {}; check that the as-of time fits the batch",
                window.start, window.as_of
            ));
        }
        let mut metadata = sums.into_metadata();
        metadata.insert("as_of".into(), window.as_of.to_rfc3339().into());
        let published = writer.finish(metadata, summarize).await?;
        Ok(Output {
            published: vec![published],
            ..Output::default()
        })
    }
}

fn window(as_of: DateTime<Utc>) -> Result<Window, TaskError> {
    Window::ending(as_of).ok_or_else(|| {
        TaskError::fatal(
            "AS_OF_OUT_OF_RANGE",
            format!("there are no 180 days before the as-of time {as_of}; set as_of in the config of the ingest step"),
        )
    })
}

async fn query(
    cx: &TaskContext,
    range: Range<u32>,
    window: &Window,
) -> Result<RecordBatchStream, TaskError> {
    let session = cx.lake().session(SessionLimits {
        threads: cx.threads(),
        memory_bytes: cx.memory_bytes(),
    })?;
    for (table, spec) in [("parties", &PARTIES), ("transactions", &TRANSACTIONS)] {
        let version = cx.input(spec.name)?;
        session
            .register(table, &version, Some(range.clone()))
            .await?;
    }
    let rows = session.sql_stream("transaction_features.sql", QUERY, parameters(window));
    Ok(rows.await?)
}

fn parameters(window: &Window) -> Vec<(&'static str, ScalarValue)> {
    const MONTHS: [&str; MONTH_STARTS] = [
        "month_0", "month_1", "month_2", "month_3", "month_4", "month_5",
    ];
    let bounds = [
        ("as_of", window.as_of),
        ("window_start", window.start),
        ("recent_start", window.recent_start),
    ];
    let months = MONTHS.into_iter().zip(window.month_starts);
    let instant = |at: DateTime<Utc>| {
        ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into()))
    };
    bounds
        .into_iter()
        .chain(months)
        .map(|(name, at)| (name, instant(at)))
        .collect()
}
