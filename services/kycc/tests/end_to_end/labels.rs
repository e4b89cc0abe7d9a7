//! Labels keep their history, and outcomes are recorded once.

use serde_json::Value;

use crate::place::{Place, text};

fn labels(place: &Place, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["label", "list", "--limit", "1000"];
    all.extend(arguments);
    place.json("data", &all)["labels"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn labelling_again_adds_a_version_and_keeps_the_one_before() {
    let place = Place::new();
    let batch = place.generate(200, 21, &[]);
    place.execute("data", &batch, &[]);
    let first = place.json("data", &["label", "stats"]);
    assert_eq!(first["batch_id"], batch.id.as_str());
    assert_eq!(first["policy"]["mix"], "blended");
    let kinds = [
        "observed_good",
        "observed_bad",
        "scorecard_good",
        "scorecard_bad",
        "indeterminate",
        "excluded",
        "unlabelled",
    ];
    let total: u64 = kinds.iter().map(|kind| first[kind].as_u64().unwrap()).sum();
    assert_eq!(total, 200);
    let before = labels(&place, &["--batch", &batch.id]);
    assert_eq!(before.len(), 200);

    let config = r#"{"ops": {"generate_scorecard_labels": {"config": {"policy": "observed"}}}}"#;
    let arguments = [
        "job",
        "execute",
        "-j",
        "ml_training_job",
        "--batch",
        &batch.id,
        "--config",
        config,
    ];
    place.json("data", &arguments);
    let all = labels(&place, &["--batch", &batch.id]);
    assert_eq!(all.len(), 400);
    // Within a party the newest comes first.
    assert_eq!(all[0]["party_id"], all[1]["party_id"]);
    let current = place.json("data", &["label", "stats", "--batch", &batch.id]);
    assert_eq!(current["policy"]["mix"], "observed");
    assert_eq!(all[0]["policy_version"], current["policy_version"]);
    assert_eq!(all[1], before[0]);
    let only = labels(&place, &["--batch", &batch.id, "--current"]);
    assert_eq!(only.len(), 200);
    assert_eq!(only[0], all[0]);
    let party = all[6]["party_id"].as_str().unwrap();
    let of_party = labels(&place, &["--batch", &batch.id, "--party", party]);
    assert_eq!(of_party, all[6..8]);

    let refused = place.error("data", &["label", "list", "--batch", "NONE"]);
    assert!(refused.contains("NONE"), "{refused}");
    let refused = place.error(
        "data",
        &["label", "list", "--batch", &batch.id, "--party", "X"],
    );
    assert!(refused.contains('X'), "{refused}");
}

#[test]
fn outcomes_are_recorded_once_and_wrong_ones_are_told_by_their_place() {
    let place = Place::new();
    let file = place.path("outcomes.ndjson");
    std::fs::write(
        &file,
        r#"{"party_id": "P-1", "kind": "late_payment", "days_past_due": 95, "occurred_at": "2026-03-01"}
{"party_id": "P-1", "kind": "late", "occurred_at": "2026-03-01"}
{"party_id": "P-1", "kind": "late_payment", "occurred_at": "2026-03-01"}

{
{"party_id": "P-1", "kind": "paid", "occurred_at": "9999-02-01"}
{"party_id": "P-1", "kind": "paid", "occurred_at": "2026-02-01T12:00:00Z"}
"#,
    )
    .unwrap();
    let file = file.to_str().unwrap();
    for (recorded, duplicates) in [(2, 0), (0, 2)] {
        let output = place.run(
            "data",
            &["--json", "label", "record", file, "--source", "ledger"],
        );
        assert_eq!(output.status.code(), Some(1));
        let answer: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        assert_eq!(answer["recorded"], recorded);
        assert_eq!(answer["duplicates"], duplicates);
        let errors = answer["errors"].as_array().unwrap();
        let places: Vec<_> = errors
            .iter()
            .map(|error| {
                (
                    error["line"].as_u64().unwrap(),
                    error["field"].as_str().unwrap(),
                )
            })
            .collect();
        let expected = [
            (2, "kind"),
            (3, "days_past_due"),
            (5, ""),
            (6, "occurred_at"),
        ];
        assert_eq!(places, expected);
    }
    let of_party = place.json("data", &["label", "outcomes", "P-1"]);
    let of_party = of_party["outcomes"].as_array().unwrap();
    let kinds: Vec<_> = of_party
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["paid", "late_payment"]);
    assert_eq!(of_party[1]["source"], "ledger");
    assert_eq!(of_party[1]["recorded_by"], "tester");

    let broken = place.path("broken.json");
    std::fs::write(&broken, "[{\"party_id\": \"P-1\"").unwrap();
    let told = place.error(
        "data",
        &[
            "label",
            "record",
            broken.to_str().unwrap(),
            "--source",
            "ledger",
        ],
    );
    assert!(
        told.contains("broken.json") && told.contains("line 1"),
        "{told}"
    );
}
