//! `batch_source`: what a batch's files are now, so that a step is keyed by what it will read.

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_proto::work::v1::SourceVersion;
use kycc_runtime::{SourceObserver, TaskError};
use serde_json::Value;

use crate::config::IngestConfig;
use crate::source::Source;
use crate::source::error::SourceError;
use crate::source::roots::Roots;

pub(crate) const SOURCE: &str = "batch_source";

#[derive(Debug)]
pub(crate) struct BatchSource {
    pub(crate) roots: Roots,
}

#[async_trait]
impl SourceObserver for BatchSource {
    fn source(&self) -> &'static str {
        SOURCE
    }

    async fn observe(
        &self,
        batch: &BatchId,
        config: &Value,
        _: &Value,
    ) -> Result<SourceVersion, TaskError> {
        let config = read_config(config)?;
        let (roots, batch) = (self.roots.clone(), batch.clone());
        let look = move || -> Result<_, SourceError> {
            let source = Source::find(&roots, &batch, &config)?;
            // Facts first: a file that changes while it is hashed then differs from them.
            Ok((source.facts()?, source.digest()?))
        };
        let (facts, digest) = tokio::task::spawn_blocking(look).await.map_err(|error| {
            TaskError::transient(
                "OBSERVATION_STOPPED",
                "the source was not looked at to the end",
            )
            .with_source(error)
        })??;
        Ok(SourceVersion {
            source: SOURCE.to_owned(),
            digest,
            document_json: facts.to_string(),
        })
    }
}

fn read_config(config: &Value) -> Result<IngestConfig, TaskError> {
    serde_json::from_value(config.clone()).map_err(|error| {
        let message = format!("the config of ingest_synthetic_batch is not usable: {error}");
        TaskError::fatal("CONFIG_INVALID", message)
    })
}

/// Refuses a source that is no longer what the step was keyed by. A file that was only touched is read again to see.
pub(crate) fn check_unchanged(source: &Source, observed: &SourceVersion) -> Result<(), TaskError> {
    let then: Option<Value> = serde_json::from_str(&observed.document_json).ok();
    if then == Some(source.facts()?) || source.digest()? == observed.digest {
        return Ok(());
    }
    let message = "the input has changed since the run looked at it; launch the run again to take what is there now";
    Err(TaskError::fatal("SOURCE_CHANGED", message))
}
