//! Records that a batch leaves out are counted and told one by one.

use serde_json::json;

use crate::place::Place;

/// Two good transactions, one broken, one after the as-of.
fn batch() -> String {
    let transaction = |id: &str, amount: serde_json::Value, ts: &str| json!({"txn_id": id, "party_id": "P-1", "amount": amount, "txn_type": "invoice", "ts": ts});
    json!({
        "batch_id": "B1", "generated_at": "2026-01-31T00:00:00Z",
        "parties": [{"party_id": "P-1", "name": "One", "party_type": "supplier", "created_at": "2020-01-01T00:00:00Z"}],
        "transactions": [
            transaction("T-1", json!(1.5), "2026-01-01T00:00:00Z"),
            transaction("T-2", json!("a lot"), "2026-01-01T00:00:00Z"),
            transaction("T-3", json!(2), "2027-01-01T00:00:00Z"),
            transaction("T-4", json!(3), "2026-01-02T00:00:00Z"),
        ],
    })
    .to_string()
}

#[test]
fn what_is_left_out_is_listed_with_its_place_and_reason_and_the_future_is_counted_apart() {
    let place = Place::new();
    let file = place.path("B 1_profiles.json");
    std::fs::write(&file, batch()).unwrap();
    let url = format!("file://{}", file.to_str().unwrap().replace(' ', "%20"));
    let config = json!({"ops": {"ingest_synthetic_batch": {"config": {"batch_id": "B1", "max_rejected_share": 0.5}}}});
    let run = place.json(
        "data",
        &[
            "job",
            "execute",
            "-j",
            "ingest_job",
            "--file",
            &url,
            "--config",
            &config.to_string(),
        ],
    );
    assert_eq!(run["status"], "SUCCESS", "{run:#}");

    let told = place.json("data", &["batch", "rejected", "B1"]);
    assert_eq!(told["total_records"], 2);
    let [broken, future] = told["records"].as_array().unwrap().as_slice() else {
        panic!("{told:#}");
    };
    assert_eq!(
        (&broken["row"], &broken["field"], &broken["code"]),
        (&json!(2), &json!("amount"), &json!("WRONG_TYPE"))
    );
    assert!(
        broken["record"].as_str().unwrap().contains("a lot"),
        "{broken}"
    );
    assert_eq!(
        (&future["row"], &future["code"]),
        (&json!(3), &json!("FUTURE"))
    );

    let first = place.text("data", &["batch", "rejected", "B1", "--limit", "1"]);
    assert!(
        first.contains("WRONG_TYPE") && !first.contains("FUTURE"),
        "{first}"
    );
    assert!(first.contains("2 in all"), "{first}");

    let listed = place.text("data", &["batch", "list"]);
    let [headings, row] = listed.lines().collect::<Vec<_>>()[..] else {
        panic!("{listed}");
    };
    let end = |heading: &str| headings.find(heading).unwrap() + heading.len();
    let count = |heading: &str| {
        row[..end(heading)]
            .split_whitespace()
            .last()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (count("REJECTED"), count("FUTURE")),
        ("1".into(), "1".into()),
        "{listed}"
    );

    let refused = place.error("data", &["batch", "rejected", "Z1"]);
    assert!(
        refused.contains("there is no batch \"Z1\"; run ingest_job"),
        "{refused}"
    );
}
