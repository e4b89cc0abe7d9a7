//! A lake in memory, a landing folder, and a batch to vary.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kycc_domain::ids::BatchId;
use kycc_lake::{Lake, Published, VersionId};
use kycc_proto::work::v1::Task;
use kycc_runtime::{
    Output, SourceObserver, StepLog, SystemClock, TaskContext, TaskError, TaskHandler, TaskParts,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::handlers::observer::BatchSource;
use crate::handlers::task::{ASSET, IngestBatch};
use crate::source::roots::Roots;

pub(super) struct Bench {
    pub(super) landing: TempDir,
    pub(super) scratch: TempDir,
    pub(super) lake: Lake,
    pub(super) threads: usize,
}

/// What one run published.
pub(super) struct Ingested {
    pub(super) output: Output,
    pub(super) lake: Lake,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            landing: TempDir::new().unwrap(),
            scratch: TempDir::new().unwrap(),
            lake: Lake::open("memory:").unwrap(),
            threads: 2,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.landing.path().join(name)
    }

    pub(super) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) async fn run(&self, config: Value) -> Result<Ingested, TaskError> {
        let roots = Roots::new(self.landing.path(), &[]);
        let observer = BatchSource {
            roots: roots.clone(),
        };
        let batch = BatchId::new("B1").unwrap();
        let observed = observer.observe(&batch, &config, &json!({})).await?;
        let task = Task {
            task_id: "t".to_owned(),
            asset: ASSET.to_owned(),
            attempt: 1,
            batch_id: "B1".to_owned(),
            config_json: config.to_string(),
            version_key: Uuid::new_v4().simple().to_string(),
            sources: vec![observed],
            ..Task::default()
        };
        let parts = TaskParts {
            lake: self.lake.clone(),
            threads: self.threads,
            memory_bytes: 64 << 20,
            cancel: Arc::default(),
            log: Arc::new(StepLog::new(&task, Arc::new(SystemClock))),
            attempt: Uuid::new_v4(),
        };
        let cx = TaskContext::new(task, parts)?;
        let handler = IngestBatch {
            roots,
            scratch: self.scratch.path().to_owned(),
        };
        let output = handler.run(&cx).await;
        let left: Vec<_> = fs::read_dir(self.scratch.path()).unwrap().collect();
        assert!(left.is_empty(), "temporary files were left behind");
        Ok(Ingested {
            output: output?,
            lake: self.lake.clone(),
        })
    }

    /// Ingests a document.
    pub(super) async fn document(&self, document: &Value) -> Result<Ingested, TaskError> {
        self.put("B1_profiles.json", document.to_string());
        self.run(json!({"batch_id": "B1"})).await
    }

    /// Ingests a document that is to be refused; nothing of it may be visible.
    pub(super) async fn refused(&self, document: impl AsRef<[u8]>, config: Value) -> TaskError {
        self.put("B1_profiles.json", document);
        match self.run(config).await {
            Ok(_) => panic!("the batch was taken"),
            Err(error) => error,
        }
    }
}

impl Ingested {
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        let manifests = self
            .output
            .published
            .iter()
            .map(|published| match published {
                Published::Complete(manifest) => manifest,
                Published::Shard => panic!("ingestion is one task"),
            });
        manifests
            .map(|m| (m.dataset.to_string(), m.digest.to_string()))
            .collect()
    }

    /// Digests of what is derived from, without the rejected records.
    pub(super) fn data_digests(&self) -> BTreeMap<String, String> {
        let mut digests = self.digests();
        digests.remove("rejected");
        digests
    }

    pub(super) fn counts(&self, table: &str) -> (u64, u64, u64, u64, u64) {
        let of = |name: &str| self.output.metadata[table][name].as_u64().unwrap();
        (
            of("read"),
            of("accepted"),
            of("rejected"),
            of("duplicate"),
            of("future"),
        )
    }

    pub(super) fn id(&self, dataset: &str) -> VersionId {
        let mut found = self
            .output
            .published
            .iter()
            .filter_map(|published| match published {
                Published::Complete(manifest) if manifest.dataset.as_str() == dataset => {
                    Some(manifest.version())
                }
                _ => None,
            });
        found.next().unwrap()
    }

    /// A dataset's rows as text, columns joined by `|`; null is `-`.
    pub(super) async fn rows(&self, dataset: &str, columns: &[&str]) -> Vec<String> {
        let batch = self
            .lake
            .read(&self.id(dataset), Some(columns), None)
            .await
            .unwrap();
        let options = arrow::util::display::FormatOptions::default().with_null("-");
        let shown: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        (0..batch.num_rows())
            .map(|row| {
                shown
                    .iter()
                    .map(|c| c.value(row).to_string())
                    .collect::<Vec<_>>()
                    .join("|")
            })
            .collect()
    }
}

const TYPES: [&str; 3] = ["invoice", "payment", "credit_note"];

/// A small batch, as of the end of 2025, without any fault.
pub(super) fn batch() -> Value {
    let party = |n: usize, kind: &str| {
        json!({"party_id": format!("P{n}"), "name": format!("Party \"{n}\", é"), "party_type": kind,
            "kyc_verified": n % 2, "tax_id": format!("TAX{n}"), "phone": "", "email": null,
            "created_at": format!("201{n}-03-04T05:06:07.891011Z")})
    };
    let transaction = |n: usize| {
        json!({"txn_id": format!("T{n:03}"), "party_id": format!("P{}", n % 4 + 1),
            "counterparty_id": if n.is_multiple_of(3) { Value::Null } else { json!(format!("P{}", (n + 1) % 4 + 1)) },
            "account_id": format!("A{}", n % 4 + 1), "amount": (n as f64) * 12.25 - 20.0, "currency": "EUR",
            "txn_type": TYPES[n % 3],
            "ts": format!("2025-{:02}-11T12:00:00Z", n % 12 + 1), "reference": "line one\nline two",
            "days_past_due": if n.is_multiple_of(5) { json!(n) } else { Value::Null }})
    };
    json!({
        "batch_id": "B1",
        "generated_at": "2025-12-31T00:00:00Z",
        "counts": {"parties": 4},
        "parties": [party(1, "supplier"), party(2, "retailer"), party(3, "Manufacturer"), party(4, "guild")],
        "accounts": (1..=4).map(|n| json!({"account_id": format!("A{n}"), "party_id": format!("P{n}"),
            "account_type": "savings", "currency": "EUR", "balance": n})).collect::<Vec<_>>(),
        "transactions": (0..24).map(transaction).collect::<Vec<_>>(),
        "relationships": [
            {"relationship_id": "R1", "from_party_id": "P1", "to_party_id": "P2", "relationship_type": "supplies_to",
                "established_date": "2020-01-01"},
            {"relationship_id": "R2", "from_party_id": "P1", "to_party_id": "P2", "relationship_type": "sells_to"},
            {"from_party_id": "P3", "to_party_id": "P1", "relationship_type": "supplies_to"},
        ],
    })
}

pub(super) fn push(batch: &mut Value, table: &str, record: Value) {
    batch[table].as_array_mut().unwrap().push(record);
}

/// A good transaction, with some fields replaced; null removes one.
pub(super) fn transaction(id: &str, changes: Value) -> Value {
    let mut record = json!({"txn_id": id, "party_id": "P1", "amount": 10.5, "txn_type": "payment",
        "ts": "2025-06-01T00:00:00Z"});
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

pub(super) fn write(folder: &Path, name: &str, lines: impl IntoIterator<Item = String>) {
    fs::create_dir_all(folder).unwrap();
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    fs::write(folder.join(name), text).unwrap();
}
