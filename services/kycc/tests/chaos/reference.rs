//! What undisturbed runs make of the same batches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kycc_embed::Fleet;
use kycc_proto::orchestrator::v1::Run;
use kycc_rpc::Principal;
use kycc_runtime::FleetConfig;
use kycc_synthetic::Spec;
use serde_json::{Value, json};

const JOB: &str = "full_scoring_job";
const PARTIES: u64 = 150;

pub(crate) struct Reference {
    fleet: Fleet,
    landing: PathBuf,
    _folder: tempfile::TempDir,
}

/// A batch on disk, and what must come of it.
pub(crate) struct Batch {
    pub(crate) job: &'static str,
    pub(crate) config: Value,
    pub(crate) digests: BTreeMap<String, String>,
}

impl Reference {
    pub(crate) async fn start(landing: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = FleetConfig {
            landing: landing.clone(),
            // A draft carries the name of whoever launched its run.
            local_principal: Principal::new(crate::fleet::PRINCIPAL),
            ..FleetConfig::embedded(folder.path())
        };
        Self {
            fleet: Fleet::in_process(config).await.unwrap(),
            landing,
            _folder: folder,
        }
    }

    pub(crate) async fn batch(&self, id: &str, seed: u64) -> Batch {
        let spec = Spec::new(id, PARTIES, seed);
        let written = kycc_synthetic::write(&spec, &self.landing).unwrap();
        let config = config(id, &written.source, &written.labels);
        let run = self.fleet.execute_job(JOB, config.clone()).await.unwrap();
        assert!(
            run.succeeded(),
            "the undisturbed run of {id} failed: {run:?}"
        );
        Batch {
            job: JOB,
            config,
            digests: digests(run.as_proto()),
        }
    }
}

/// Digest of every dataset that a run made.
pub(crate) fn digests(run: &Run) -> BTreeMap<String, String> {
    let outputs = run.steps.iter().flat_map(|step| &step.outputs);
    outputs
        .map(|output| (output.dataset.clone(), output.digest.clone()))
        .collect()
}

/// What the model learns from is pinned: which other batches there are depends on who is quicker.
fn config(id: &str, source: &Path, labels: &Path) -> Value {
    json!({"ops": {
        "ingest_synthetic_batch": {"config": {
            "batch_id": id,
            "source_uri": source.display().to_string(),
            "labels_uri": labels.display().to_string(),
        }},
        "train_model_asset": {"config": {"batches": [id]}},
    }})
}
