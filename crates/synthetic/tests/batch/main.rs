//! What a reader of generated batches relies on: bytes that depend on the spec alone, records that conform and refer to
//! each other, outcomes that risk explains, and refusals that say what to do.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod determinism;
mod formats;
mod outcomes;
mod records;
mod refusals;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use chrono::{DateTime, Utc};
use kycc_synthetic::{Spec, Written, write};
use serde_json::{Map, Value};

const TABLES: [&str; 4] = ["parties", "accounts", "transactions", "relationships"];

type Row = Map<String, Value>;

struct Generated {
    spec: Spec,
    written: Written,
    document: Row,
    labels: Vec<Row>,
    _folder: tempfile::TempDir,
}

impl Generated {
    fn table(&self, name: &str) -> Vec<&Row> {
        self.document[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row.as_object().unwrap())
            .collect()
    }

    fn outcomes(&self) -> HashMap<&str, bool> {
        self.labels
            .iter()
            .map(|row| (text(row, "party_id"), row["will_default"] == 1))
            .collect()
    }
}

fn generate(spec: Spec) -> Generated {
    let folder = tempfile::tempdir().unwrap();
    let written = write(&spec, folder.path()).unwrap();
    let document = serde_json::from_slice(&fs::read(&written.source).unwrap()).unwrap();
    let labels = serde_json::from_slice(&fs::read(&written.labels).unwrap()).unwrap();
    Generated {
        spec,
        written,
        document,
        labels,
        _folder: folder,
    }
}

fn text<'a>(row: &'a Row, field: &str) -> &'a str {
    row[field].as_str().unwrap()
}

fn time(row: &Row, field: &str) -> DateTime<Utc> {
    text(row, field).parse().unwrap()
}

/// Every file below the folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
    found
}

fn bytes_of(spec: &Spec) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    write(spec, folder.path()).unwrap();
    files(folder.path())
}
