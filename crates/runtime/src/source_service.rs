//! The one SourceService of a process: asks whichever service observes the source, here or in another process.

use std::collections::BTreeMap;
use std::sync::Arc;

use kycc_domain::ids::BatchId;
use kycc_lake::Metadata;
use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::source_service_server::SourceService;
use kycc_proto::work::v1::{ObserveRequest, ObserveResponse};
use kycc_rpc::{ApiError, Peer};
use serde_json::Value;
use tonic::{Request, Response, Status};

use crate::{SourceObserver, TaskError};

#[derive(Clone)]
pub(crate) struct Sources {
    observers: Arc<BTreeMap<&'static str, Arc<dyn SourceObserver>>>,
    /// Who observes what nobody observes here.
    elsewhere: Arc<BTreeMap<&'static str, Peer>>,
}

impl Sources {
    pub(crate) fn new(
        observers: impl IntoIterator<Item = Arc<dyn SourceObserver>>,
        elsewhere: BTreeMap<&'static str, Peer>,
    ) -> Self {
        let by_name = observers
            .into_iter()
            .map(|observer| (observer.source(), observer))
            .collect();
        Self {
            observers: Arc::new(by_name),
            elsewhere: Arc::new(elsewhere),
        }
    }
}

#[tonic::async_trait]
impl SourceService for Sources {
    async fn observe(
        &self,
        request: Request<ObserveRequest>,
    ) -> Result<Response<ObserveResponse>, Status> {
        let source = request.get_ref().source.clone();
        let Some(observer) = self.observers.get(source.as_str()) else {
            let passed_on_before = request.metadata().contains_key(kycc_rpc::FORWARDED);
            let owner = self.elsewhere.get(source.as_str());
            let Some(peer) = owner.filter(|_| !passed_on_before) else {
                return Err(ApiError::not_found("source", &source).into());
            };
            let mut passed_on = kycc_rpc::traced(request.get_ref().clone());
            kycc_rpc::pass_on(request.extensions(), passed_on.metadata_mut().as_mut());
            if let Some(deadline) = request.metadata().get("grpc-timeout") {
                let deadline = deadline.clone();
                passed_on.metadata_mut().insert("grpc-timeout", deadline);
            }
            return SourceServiceClient::new(peer.channel.clone())
                .observe(passed_on)
                .await;
        };
        let request = request.into_inner();
        let batch = BatchId::new(request.batch_id.as_str())
            .map_err(|error| ApiError::invalid("batch_id", error.to_string()))?;
        let config = object("config_json", &request.config_json)?;
        let resources = object("resources_json", &request.resources_json)?;
        let version = observer
            .observe(&batch, &config, &resources)
            .await
            .map_err(|error| refused(&error))?;
        Ok(Response::new(ObserveResponse {
            version: Some(version),
        }))
    }
}

fn object(field: &str, json: &str) -> Result<Value, ApiError> {
    if json.is_empty() {
        return Ok(Value::Object(Metadata::new()));
    }
    match serde_json::from_str(json) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(ApiError::invalid(field, "must be a JSON object")),
    }
}

/// The observer's reason and words, whether or not trying again helps.
fn refused(error: &TaskError) -> ApiError {
    let message = match error.record() {
        Some(record) => format!("{} ({record})", error.message()),
        None => error.message().to_owned(),
    };
    if error.is_retryable() {
        ApiError::unavailable(error.reason(), message)
    } else {
        ApiError::precondition(error.reason(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::work::v1::SourceVersion;
    use kycc_rpc::ClientError;

    struct Landing;

    #[tonic::async_trait]
    impl SourceObserver for Landing {
        fn source(&self) -> &'static str {
            "batch_source"
        }

        async fn observe(
            &self,
            batch: &BatchId,
            config: &Value,
            _resources: &Value,
        ) -> Result<SourceVersion, TaskError> {
            match config["source_uri"].as_str() {
                Some(uri) => Ok(SourceVersion {
                    source: "batch_source".to_owned(),
                    digest: format!("{batch}-{uri}"),
                    ..SourceVersion::default()
                }),
                None => {
                    Err(TaskError::fatal("SOURCE_NOT_FOUND", "no such file").with_record("x.json"))
                }
            }
        }
    }

    async fn observe(source: &str, config: &str) -> Result<String, ClientError> {
        let sources = Sources::new(
            [Arc::new(Landing) as Arc<dyn SourceObserver>],
            BTreeMap::new(),
        );
        let request = ObserveRequest {
            source: source.to_owned(),
            batch_id: "B1".to_owned(),
            config_json: config.to_owned(),
            resources_json: String::new(),
        };
        let answer = sources.observe(Request::new(request)).await;
        Ok(answer?.into_inner().version.unwrap().digest)
    }

    #[tokio::test]
    async fn the_observer_of_that_name_is_asked() {
        let seen = observe("batch_source", r#"{"source_uri": "a"}"#)
            .await
            .unwrap();
        assert_eq!(seen, "B1-a");
    }

    #[tokio::test]
    async fn its_refusal_keeps_reason_words_and_record() {
        let error = observe("batch_source", "{}").await.unwrap_err();
        assert_eq!(error.reason(), "SOURCE_NOT_FOUND");
        assert_eq!(error.message(), "no such file (x.json)");
    }

    #[tokio::test]
    async fn a_source_that_nobody_observes_is_not_found() {
        let error = observe("moon", "{}").await.unwrap_err();
        assert_eq!(error.reason(), "NOT_FOUND");
    }
}
