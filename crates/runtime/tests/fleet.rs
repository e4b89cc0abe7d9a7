//! A fleet of one small module, from config to SERVING and back.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kycc_domain::ids::BatchId;
use kycc_lake::Metadata;
use kycc_proto::work::v1::source_service_client::SourceServiceClient;
use kycc_proto::work::v1::{ObserveRequest, SourceVersion, Task};
use kycc_queue::TaskQueue;
use kycc_runtime::{
    BuildError, ConnectionUrl, Fleet, FleetConfig, FolderLock, Module, ModuleContext, ModuleTable,
    Output, Service, SourceObserver, StartError, TaskContext, TaskError, TaskHandler,
};
use serde_json::Value;
use tokio::sync::Mutex;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const SOON: Duration = Duration::from_secs(20);

/// Keeps what it was built with, so that the test can push tasks.
#[derive(Default)]
struct Probe {
    queue: Arc<Mutex<Option<Arc<dyn TaskQueue>>>>,
    fail_build: bool,
    fail_background: bool,
    keeps_its_source_quiet: bool,
    table: Arc<Mutex<ModuleTable>>,
}

struct Handler;

#[async_trait]
impl TaskHandler for Handler {
    fn asset(&self) -> &'static str {
        "probe"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let threads = Metadata::from_iter([("threads".to_owned(), cx.threads().into())]);
        Ok(Output {
            published: Vec::new(),
            metadata: threads,
        })
    }
}

struct Observer;

#[async_trait]
impl SourceObserver for Observer {
    fn source(&self) -> &'static str {
        "probe_source"
    }

    async fn observe(
        &self,
        batch: &BatchId,
        _config: &Value,
        _resources: &Value,
    ) -> Result<SourceVersion, TaskError> {
        Ok(SourceVersion {
            digest: batch.to_string(),
            ..SourceVersion::default()
        })
    }
}

#[async_trait]
impl Module for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn lane(&self) -> Option<&'static str> {
        Some("probe")
    }

    fn sources(&self) -> &'static [&'static str] {
        if self.keeps_its_source_quiet {
            &[]
        } else {
            &["probe_source"]
        }
    }

    async fn build(&self, cx: &ModuleContext) -> Result<Service, BuildError> {
        if self.fail_build {
            return Err(BuildError::new("its tables are missing"));
        }
        *self.queue.lock().await = Some(Arc::clone(&cx.queue));
        *self.table.lock().await = ModuleTable::clone(&cx.table);
        let fails = self.fail_background;
        Ok(Service::builder()
            .handler(Arc::new(Handler))
            .observer(Arc::new(Observer))
            .background("probe", move |stop| async move {
                if fails {
                    return Err(std::io::Error::other("out of luck"));
                }
                stop.cancelled().await;
                Ok(())
            })
            .build())
    }
}

fn config(folder: &std::path::Path) -> FleetConfig {
    FleetConfig {
        drain_seconds: 5,
        threads: 1,
        ..FleetConfig::embedded(folder)
    }
}

#[tokio::test]
async fn a_fleet_serves_works_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe::default();
    let queue = Arc::clone(&probe.queue);
    let fleet = Fleet::start(config(folder.path()), vec![Box::new(probe)])
        .await
        .unwrap();

    let health = HealthClient::new(fleet.channel())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    assert_eq!(
        health.into_inner().status,
        1,
        "SERVING once start has returned"
    );

    let observed = SourceServiceClient::new(fleet.channel())
        .observe(ObserveRequest {
            source: "probe_source".to_owned(),
            batch_id: "B1".to_owned(),
            ..ObserveRequest::default()
        })
        .await
        .unwrap();
    assert_eq!(observed.into_inner().version.unwrap().digest, "B1");

    let queue = queue.lock().await.take().unwrap();
    let task = Task {
        asset: "probe".to_owned(),
        batch_id: "B1".to_owned(),
        ..Task::default()
    };
    queue.push("probe", &task).await.unwrap();
    let results = queue.pull_results(1, SOON).await.unwrap();
    assert_eq!(results.len(), 1);

    let info = FolderLock::holder(folder.path()).expect("the fleet says where it answers");
    assert_eq!(info.grpc_addr, fleet.grpc_addr());
    tokio::time::timeout(SOON, fleet.shutdown()).await.unwrap();
    assert_eq!(FolderLock::holder(folder.path()), None);
}

#[tokio::test]
async fn a_second_fleet_on_the_same_folder_is_refused_and_the_folder_is_free_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(config(folder.path()), Vec::new())
        .await
        .unwrap();
    let refused = Fleet::start(config(folder.path()), Vec::new())
        .await
        .unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, StartError::Lock(_)));
    let pid = std::process::id();
    assert!(
        text.contains(&format!("is in use by process {pid};")),
        "{text}"
    );
    fleet.shutdown().await;
    let again = Fleet::start(config(folder.path()), Vec::new())
        .await
        .unwrap();
    again.shutdown().await;
}

#[tokio::test]
async fn a_module_that_cannot_be_built_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe {
        fail_build: true,
        ..Probe::default()
    };
    let error = Fleet::start(config(folder.path()), vec![Box::new(probe)])
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot build probe");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "its tables are missing");
}

#[tokio::test]
async fn modules_are_told_what_all_of_them_offer() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe::default();
    let table = Arc::clone(&probe.table);
    let fleet = Fleet::start(config(folder.path()), vec![Box::new(probe)])
        .await
        .unwrap();
    let table = table.lock().await.clone();
    assert!(table.lanes.iter().eq(&["probe"]), "{table:?}");
    assert!(table.sources.iter().eq(&["probe_source"]), "{table:?}");
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_module_that_observes_what_it_does_not_tell_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe {
        keeps_its_source_quiet: true,
        ..Probe::default()
    };
    let error = Fleet::start(config(folder.path()), vec![Box::new(probe)])
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("probe_source"), "{cause}");
}

#[tokio::test]
async fn failing_background_work_is_reported_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let probe = Probe {
        fail_background: true,
        ..Probe::default()
    };
    let fleet = Fleet::start(config(folder.path()), vec![Box::new(probe)])
        .await
        .unwrap();
    let reason = tokio::time::timeout(SOON, fleet.failed()).await.unwrap();
    assert_eq!(reason, "probe failed: out of luck");
    fleet.shutdown().await;
}

#[tokio::test]
async fn a_queue_of_no_known_kind_is_refused_by_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let config = FleetConfig {
        queue_url: kycc_runtime::ConnectionUrl::new("amqp://:secret@host"),
        ..config(folder.path())
    };
    let error = Fleet::start(config, Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("amqp://:***@host"), "{error}");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_service_or_peer_that_does_not_exist_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let shared = FleetConfig {
        store_url: ConnectionUrl::new("postgres://127.0.0.1:1/none"),
        queue_url: ConnectionUrl::new("redis://127.0.0.1:1"),
        ..config(folder.path())
    };
    let refused = async |config| {
        let started = Fleet::start(config, vec![Box::new(Probe::default())]).await;
        started.unwrap_err().to_string()
    };
    let unknown = FleetConfig {
        services: vec!["prober".to_owned()],
        ..shared.clone()
    };
    assert_eq!(
        refused(unknown).await,
        "there is no service \"prober\"; there are probe"
    );
    let stranger = FleetConfig {
        peers: [("prober".to_owned(), "127.0.0.1:1".to_owned())].into(),
        ..shared
    };
    assert_eq!(
        refused(stranger).await,
        "peers=\"prober\" is not valid: expected one of probe"
    );
}
