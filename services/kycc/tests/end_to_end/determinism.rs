//! Rows and digests depend on inputs alone: not on threads, shards, formats, or who ran before.

use serde_json::{Value, json};

use crate::place::{Place, digests};

#[test]
fn one_and_two_threads_and_one_and_seven_shards_give_the_same_digests() {
    let place = Place::new();
    let batch = place.generate(8_000, 5, &["--transactions-per-party", "4"]);
    let reference = place.execute("reference", &batch, &["--threads", "2"]);
    let tasks = |run: &serde_json::Value| {
        let steps = run["steps"].as_array().unwrap();
        steps
            .iter()
            .map(|step| step["tasks"].as_u64().unwrap())
            .max()
            .unwrap()
    };
    assert_eq!(tasks(&reference), 1);
    for (name, more) in [
        (
            "one-thread",
            ["--threads", "1", "--parties-per-shard", "100000"],
        ),
        (
            "seven-shards",
            ["--threads", "2", "--parties-per-shard", "1143"],
        ),
        ("both", ["--threads", "1", "--parties-per-shard", "1143"]),
    ] {
        let run = place.execute(name, &batch, &more);
        assert_eq!(digests(&run), digests(&reference), "{name}");
        assert_eq!(tasks(&run), if more[3] == "1143" { 7 } else { 1 }, "{name}");
    }
}

#[test]
fn the_same_batch_again_computes_nothing_and_a_changed_config_only_what_depends_on_it() {
    let place = Place::new();
    let batch = place.generate(300, 6, &[]);
    let first = place.execute("data", &batch, &[]);
    let again = place.execute("data", &batch, &[]);
    assert_eq!(digests(&first), digests(&again));
    let computed = |run: &serde_json::Value| -> Vec<String> {
        let steps = run["steps"].as_array().unwrap().iter();
        let computed = steps.filter(|step| !step["memoized"].as_bool().unwrap());
        computed
            .map(|step| step["asset"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(computed(&again).is_empty(), "{:?}", computed(&again));
    let config = r#"{"ops": {"train_model_asset": {"config": {"seed": 7}}}}"#;
    let changed = place.execute("data", &batch, &["--config", config]);
    assert_eq!(
        computed(&changed),
        ["train_model_asset", "refine_scorecard"]
    );
    assert_eq!(digests(&changed)["scores"], digests(&first)["scores"]);
    assert_ne!(digests(&changed)["model"], digests(&first)["model"]);
}

#[test]
fn a_document_and_folders_of_ndjson_and_csv_are_the_same_batch() {
    let place = Place::new();
    let document = place.execute("document", &place.generate(300, 8, &[]), &[]);
    for format in ["ndjson", "csv"] {
        let elsewhere = Place::new();
        let batch = elsewhere.generate(300, 8, &["--format", format]);
        assert_eq!(
            digests(&elsewhere.execute(format, &batch, &[])),
            digests(&document),
            "{format}"
        );
    }
}

#[test]
fn records_after_the_as_of_change_no_feature_score_label_or_weight() {
    let place = Place::new();
    let batch = place.generate(300, 9, &[]);
    let mut before = digests(&place.execute("before", &batch, &[]));
    let mut document: Value =
        serde_json::from_slice(&std::fs::read(&batch.source).unwrap()).unwrap();
    for (table, time) in [
        ("parties", "created_at"),
        ("transactions", "ts"),
        ("relationships", "established_date"),
    ] {
        // Each would replace the record that it is a copy of.
        let records = document[table].as_array_mut().unwrap();
        let mut later = records[0].clone();
        later[time] = json!("2099-01-01T00:00:00Z");
        records.push(later);
    }
    std::fs::write(&batch.source, document.to_string()).unwrap();
    let mut after = digests(&place.execute("after", &batch, &[]));
    assert_ne!(after.remove("rejected"), before.remove("rejected"));
    assert_eq!(after, before);
}
