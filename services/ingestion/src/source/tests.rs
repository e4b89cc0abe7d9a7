use std::fs;

use tempfile::TempDir;

use super::*;

struct Folders {
    root: TempDir,
    outside: TempDir,
}

impl Folders {
    fn new() -> Self {
        Self {
            root: TempDir::new().unwrap(),
            outside: TempDir::new().unwrap(),
        }
    }

    fn put(&self, name: &str) -> &Self {
        let path = self.root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
        self
    }

    fn find(&self, config: serde_json::Value) -> Result<Source, SourceError> {
        let roots = Roots::new(self.root.path(), &[]);
        let config = serde_json::from_value(config).unwrap();
        Source::find(&roots, &BatchId::new("B1").unwrap(), &config)
    }

    fn names(&self, config: serde_json::Value) -> Vec<String> {
        let source = self.find(config).unwrap();
        source.files().into_iter().map(|(name, _)| name).collect()
    }
}

use serde_json::json;

#[test]
fn the_document_in_the_landing_folder_is_the_default_then_the_folder() {
    let folders = Folders::new();
    let error = folders.find(json!({})).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.reason(), "SOURCE_NOT_FOUND");
    assert!(
        text.contains("B1_profiles.json") && text.contains("source_uri"),
        "{text}"
    );
    folders.put("B1/B1_parties.ndjson");
    assert_eq!(folders.names(json!({})), ["parties/B1_parties.ndjson"]);
    folders.put("B1_profiles.json");
    assert_eq!(folders.names(json!({})), ["document/B1_profiles.json"]);
    folders.put("B1_labels.json");
    assert_eq!(
        folders.names(json!({})),
        ["document/B1_profiles.json", "outcomes/B1_labels.json"]
    );
}

#[test]
fn tables_may_lie_in_the_landing_folder_itself() {
    let folders = Folders::new();
    folders
        .put("B1_parties.csv")
        .put("B1_accounts.csv")
        .put("B2_parties.csv");
    assert_eq!(
        folders.names(json!({})),
        ["parties/B1_parties.csv", "accounts/B1_accounts.csv"]
    );
}

#[test]
fn a_folder_has_its_files_by_table_and_name() {
    let folders = Folders::new();
    for name in [
        "in/B1_transactions_2.csv",
        "in/B1_transactions_1.parquet",
        "in/B1_parties.ndjson",
        "in/B2_parties.ndjson",
        "in/B1_parties.txt",
        "in/B1_batch.json",
        "labels.json",
    ] {
        folders.put(name);
    }
    assert_eq!(
        folders.names(json!({"source_uri": "in", "labels_uri": "labels.json"})),
        [
            "parties/B1_parties.ndjson",
            "transactions/B1_transactions_1.parquet",
            "transactions/B1_transactions_2.csv",
            "outcomes/labels.json",
            "batch/B1_batch.json",
        ]
    );
}

#[test]
fn paths_and_file_uris_are_the_same() {
    let folders = Folders::new();
    folders.put("a folder/B1_profiles.json");
    let path = folders.root.path().join("a folder/B1_profiles.json");
    let uri = url::Url::from_file_path(&path).unwrap().to_string();
    assert!(uri.contains("%20"));
    let by_path = folders.find(json!({"source_uri": path})).unwrap();
    assert_eq!(folders.find(json!({"source_uri": uri})).unwrap(), by_path);
    let folder = path.parent().unwrap();
    assert_eq!(
        folders.find(json!({"source_uri": folder})).unwrap(),
        by_path
    );
}

#[test]
fn nothing_outside_the_roots_is_read() {
    let folders = Folders::new();
    let secret = folders.outside.path().join("B1_profiles.json");
    fs::write(&secret, "{}").unwrap();
    std::os::unix::fs::symlink(&secret, folders.root.path().join("B1_profiles.json")).unwrap();
    let way_out = folders
        .root
        .path()
        .join("..")
        .join(folders.outside.path().file_name().unwrap());
    for config in [
        json!({"source_uri": secret}),
        json!({"source_uri": format!("file://{}", secret.display())}),
        json!({"source_uri": way_out.join("B1_profiles.json")}),
        json!({"source_files": {"parties": secret}}),
        json!({}),
    ] {
        let error = folders.find(config.clone()).unwrap_err();
        assert_eq!(error.reason(), "SOURCE_NOT_ALLOWED", "{config}: {error}");
        assert!(error.to_string().contains("allowed_roots"));
    }
    folders.put("in/B1_parties.csv");
    std::os::unix::fs::symlink(&secret, folders.root.path().join("in/B1_accounts.csv")).unwrap();
    let error = folders.find(json!({"source_uri": "in"})).unwrap_err();
    assert_eq!(error.reason(), "SOURCE_NOT_ALLOWED");
}

#[test]
fn a_source_that_cannot_be_meant_says_what_to_do() {
    let folders = Folders::new();
    folders
        .put("B1_parties.ndjson")
        .put("empty/x.txt")
        .put("B1_parties.txt")
        .put("B1_profiles.json");
    for (config, expected) in [
        (json!({"source_uri": "missing.json"}), "there is no /"),
        (
            json!({"source_uri": "s3://bucket/x.json"}),
            "write an absolute path or a file:// URI",
        ),
        (
            json!({"source_uri": "B1_parties.ndjson"}),
            "single tables are given with source_files",
        ),
        (
            json!({"source_uri": "empty"}),
            "has no B1_parties.ndjson, .csv or .parquet",
        ),
        (
            json!({"source_files": {"partys": "x"}}),
            "there are parties, accounts, transactions, relationships",
        ),
        (
            json!({"source_files": {"parties": "B1_parties.txt"}}),
            "must end in .ndjson, .csv, .parquet or .json",
        ),
        (
            json!({"source_uri": "x", "source_files": {"parties": "x"}}),
            "leave one out",
        ),
        (json!({"labels_uri": "none.json"}), "there is no /"),
    ] {
        let error = folders.find(config).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_digest_is_of_names_and_contents() {
    let folders = Folders::new();
    folders.put("B1_profiles.json").put("labels.json");
    let digest = |config| folders.find(config).unwrap().digest().unwrap();
    let first = digest(json!({}));
    assert_eq!(first, digest(json!({"source_uri": "B1_profiles.json"})));
    assert_ne!(first, digest(json!({"labels_uri": "labels.json"})));
    let facts = folders.find(json!({})).unwrap().facts().unwrap();
    assert_eq!(facts["files"][0]["name"], "document/B1_profiles.json");
    assert_eq!(facts["files"][0]["bytes"], 2);
    fs::write(folders.root.path().join("B1_profiles.json"), "[]").unwrap();
    assert_ne!(first, digest(json!({})));
}
