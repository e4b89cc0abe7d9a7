//! Drift of what is scored, candidates in the shadow and on past batches, and what would lift a party.

use serde_json::{Value, json};

use crate::place::{Batch, Place, digests};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn newest_draft(place: &Place) -> String {
    let version = &place.json("data", &["scorecard", "list"])["versions"][0]["version"];
    assert_ne!(*version, "1.0", "the run made no draft");
    text(version)
}

/// Runs the main job with that card instead of the active one.
fn execute_with(place: &Place, batch: &Batch, card: &str) -> Value {
    let config = json!({"resources": {"scoring_service": {"config": {"scorecard_version": card}}}});
    place.execute("data", batch, &["--config", &config.to_string()])
}

fn drift_check(place: &Place) -> Value {
    let asset = place.json("data", &["asset", "show", "score_batch"]);
    let checks = &asset["materializations"][0]["metadata"]["checks"];
    assert_eq!(checks.as_array().unwrap().len(), 1, "{checks}");
    assert_eq!(checks[0]["name"], "drift");
    checks[0].clone()
}

fn moved(drift: &Value) -> Vec<String> {
    let lines = drift["lines"].as_array().unwrap().iter();
    let moved = lines.filter(|line| line["status"] != "pass");
    moved.map(|line| text(&line["name"])).collect()
}

#[test]
fn drift_is_flagged_when_the_population_shifts_and_not_when_it_does_not() {
    let place = Place::new();
    let trained = place.generate(1_000, 31, &[]);
    place.execute("data", &trained, &[]);
    // The expert's card was not trained on anybody.
    let check = drift_check(&place);
    assert_eq!(
        (&check["status"], &check["passed"]),
        (&json!("not_evaluated"), &Value::Null)
    );
    let refused = place.error("data", &["report", "drift", "--batch", &trained.id]);
    assert!(refused.contains("no training population"), "{refused}");

    let card = newest_draft(&place);
    let alike = place.generate(1_000, 32, &[]);
    execute_with(&place, &alike, &card);
    let check = drift_check(&place);
    assert_eq!(
        (&check["status"], &check["passed"]),
        (&json!("pass"), &json!(true)),
        "{check}"
    );
    let drift = place.json("data", &["report", "drift"]);
    assert_eq!(drift["batch_id"], alike.id.as_str());
    assert_eq!(drift["scorecard_version"], card.as_str());
    assert_eq!((moved(&drift), &drift["status"]), (vec![], &json!("pass")));

    let shifted = place.generate(1_001, 33, &["--transactions-per-party", "2"]);
    let run = execute_with(&place, &shifted, &card);
    assert_eq!(run["status"], "SUCCESS");
    let check = drift_check(&place);
    assert_eq!(
        (&check["status"], &check["severity"], &check["passed"]),
        (&json!("fail"), &json!("warn"), &json!(false))
    );
    let drift = place.json("data", &["report", "drift", "--batch", &shifted.id]);
    let moved = moved(&drift);
    assert!(
        moved.contains(&"transaction_count_6m".to_owned()),
        "{moved:?}"
    );
    assert!(
        !moved.contains(&"contact_completeness".to_owned()),
        "{moved:?}"
    );
    let worst = text(&check["lines"][0]["name"]);
    let logs = place.text("data", &["run", "logs", run["run_id"].as_str().unwrap()]);
    assert!(
        logs.contains(&format!("was trained on: {worst} has shifted")),
        "{logs}"
    );
    // Batch against batch says the same, and a batch against itself that nothing has moved.
    let between = |against: &str| {
        let arguments = [
            "report",
            "drift",
            "--batch",
            &shifted.id,
            "--against",
            against,
        ];
        place.json("data", &arguments)
    };
    assert_eq!(between(&alike.id)["status"], "fail");
    let same = between(&shifted.id);
    assert!(
        same["lines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["index"] == 0.0),
        "{same}"
    );
    let page = place.text("data", &["report", "drift", "--batch", &shifted.id]);
    assert!(
        page.contains("transaction_count_6m") && page.contains("another population"),
        "{page}"
    );
}

#[test]
fn a_shadow_changes_no_score_and_its_report_is_what_a_back_test_finds() {
    let place = Place::new();
    let first = place.generate(600, 34, &[]);
    let before = place.execute("data", &first, &[]);
    assert!(digests(&before).contains_key("shadow_scores"));
    let refused = place.error("data", &["scorecard", "shadow-report"]);
    assert!(
        refused.contains("no scorecard version is in the shadow"),
        "{refused}"
    );
    let card = newest_draft(&place);
    place.json(
        "data",
        &["scorecard", "shadow", &card, "--reason", "to compare"],
    );
    let again = place.execute("data", &first, &[]);
    let (old, new) = (digests(&before), digests(&again));
    assert_eq!(old["scores"], new["scores"]);
    assert_eq!(old["labels"], new["labels"]);
    assert_ne!(old["shadow_scores"], new["shadow_scores"]);
    // What reads the scores is not made again for the shadow's sake.
    let steps = again["steps"].as_array().unwrap().iter();
    let computed: Vec<_> = steps
        .filter(|step| step["memoized"] == false)
        .map(|step| text(&step["asset"]))
        .collect();
    assert_eq!(computed, ["score_batch"]);

    // What one shard says for all stands beside what was made of all.
    let second = place.generate(4_000, 35, &["--transactions-per-party", "2"]);
    let cut = place.execute("data", &second, &["--parties-per-shard", "1100"]);
    let step = &cut["steps"].as_array().unwrap()[5];
    assert_eq!(
        (&step["asset"], &step["tasks"]),
        (&json!("score_batch"), &json!(4))
    );
    let said = &step["metadata"];
    assert_eq!(said["checks"][0]["status"], "not_evaluated");
    assert_eq!(said["shadow"]["comparison"]["parties"], 4_000);
    assert_eq!(said["parties_scored"], 4_000);
    let report = place.json("data", &["scorecard", "shadow-report"]);
    assert_eq!(report["scorecard_version"], card.as_str());
    let tested = place.json("data", &["scorecard", "backtest", &card]);
    assert_eq!(report["comparisons"], tested["comparisons"]);
    let compared = report["comparisons"].as_array().unwrap();
    let mut parties: Vec<_> = compared.iter().map(|one| one["parties"].as_u64()).collect();
    parties.sort_unstable();
    assert_eq!(parties, [Some(600), Some(4_000)]);
    for one in compared {
        assert_eq!(one["champion_version"], "1.0");
        assert_eq!(one["challenger_version"], card.as_str());
        let rows = one["migration"].as_array().unwrap().iter();
        let judged: u64 = rows
            .flat_map(|row| row["parties"].as_array().unwrap())
            .map(|count| count.as_u64().unwrap())
            .sum();
        assert_eq!(Some(judged), one["parties"].as_u64());
        // The labels files say how every party turned out.
        assert_eq!(one["outcomes"], one["parties"]);
        let number = |name: &str| one[name].as_f64().unwrap();
        let change = number("challenger_auc") - number("champion_auc");
        assert!((change - number("auc_difference")).abs() < 1e-12);
        assert_eq!(one["not_evaluated"], "");
    }
    let one = place.json(
        "data",
        &["scorecard", "backtest", "1.0", "--batch", &second.id],
    );
    let itself = &one["comparisons"][0];
    assert_eq!(one["comparisons"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&itself["psi"], &itself["moved_better"]),
        (&json!(0.0), &json!(0))
    );
    let named: Vec<String> = (0..21).map(|batch| format!("--batch=B{batch}")).collect();
    let mut many = vec!["scorecard", "backtest", "1.0"];
    many.extend(named.iter().map(String::as_str));
    let refused = place.error("data", &many);
    assert!(refused.contains("at most 20 batches"), "{refused}");
    let page = place.text("data", &["scorecard", "shadow-report", &card]);
    assert!(page.contains(&second.id) && page.contains("AUC"), "{page}");
}

#[test]
fn what_is_said_to_lift_a_party_does() {
    let place = Place::new();
    let batch = place.generate(300, 36, &[]);
    place.execute("data", &batch, &[]);
    let poor = ["score", "list", "--batch", &batch.id, "--band", "fair"];
    let party = text(&place.json("data", &poor)["scores"][0]["party_id"]);
    let found = place.json("data", &["score", "improve", &party]);
    assert_eq!(
        (&found["band"], &found["target_band"]),
        (&json!("fair"), &json!("good"))
    );
    let vector = place.json("data", &["feature", "get", &party, "--batch", &batch.id]);
    let vector = vector["features"].as_object().unwrap();
    let changes = found["improvements"].as_array().unwrap();
    assert_eq!(changes.len(), 13);
    assert!(
        changes.iter().any(|change| change["reachable"] == true),
        "{found}"
    );
    for change in changes {
        let changed = text(&change["feature"]);
        let given = vector.iter().map(|(name, feature)| {
            let value = if *name == changed {
                &change["needed_value"]
            } else {
                &feature["value"]
            };
            format!("--feature={name}={value}")
        });
        let given: Vec<String> = given.collect();
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let what_if: Vec<_> = ["score", "what-if"]
            .into_iter()
            .chain(given.clone())
            .collect();
        let then = place.json("data", &what_if);
        assert_eq!(
            (&then["final_score"], &then["band"]),
            (&change["final_score"], &change["band"]),
            "{change}"
        );
        let lifted = change["final_score"].as_i64() >= found["target_score"].as_i64();
        assert_eq!(change["reachable"], lifted, "{change}");
    }
    let page = place.text("data", &["score", "improve", &party]);
    assert!(page.contains("alone reaches good (from 700)"), "{page}");

    let refused = place.error("data", &["score", "improve", &party, "--band", "superb"]);
    assert!(
        refused.contains("superb") && refused.contains("excellent, good, fair"),
        "{refused}"
    );
    let vector = [
        "score",
        "improve",
        "--feature",
        "kyc_verified=1",
        "--band",
        "poor",
    ];
    let found = place.json("data", &vector);
    assert_eq!(found["scorecard_version"], "1.0");
    let refused = place.error("data", &["score", "what-if", "--feature", "kyc_verified=7"]);
    assert!(
        refused.contains("kyc_verified") && refused.contains("from 0 to 1, not 7"),
        "{refused}"
    );
}
