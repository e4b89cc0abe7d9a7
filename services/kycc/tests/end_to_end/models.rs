//! What a model says of itself, through the command.

use serde_json::Value;

use crate::place::{Batch, Place};

/// Batches number their parties alike, so that all of a smaller one's are a larger one's too.
fn two_batches(place: &Place) -> (Batch, Batch) {
    let older = place.generate(700, 31, &[]);
    let newer = place.generate(250, 32, &[]);
    place.execute("data", &older, &[]);
    (older, newer)
}

/// Scored nine months after the synthetic batches' own time.
const LATER: &str =
    r#"{"ops": {"ingest_synthetic_batch": {"config": {"as_of": "2026-11-01T00:00:00Z"}}}}"#;

/// What training wrote into the log of the run.
fn messages(place: &Place, run: &Value) -> Vec<String> {
    let run_id = run["run_id"].as_str().unwrap();
    let log = place.text("data", &["--json", "run", "logs", run_id]);
    let events = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["asset"] == "train_model_asset")
        .map(|event| event["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_batches_of_different_times_train_out_of_time() {
    let place = Place::new();
    let (older, newer) = two_batches(&place);
    let run = place.execute("data", &newer, &["--config", LATER]);
    let model = place.json("data", &["model", "show"]);
    assert_eq!(model["batch_ids"], serde_json::json!([newer.id, older.id]));
    // All that the newer batch has is held out, and its parties do not train.
    assert_eq!(model["holdout_rows"], 250);
    assert_eq!(model["train_rows"], 450);
    let log = messages(&place, &run);
    assert!(
        log.iter()
            .any(|line| line.starts_with("out of time") && line.contains("250 older rows")),
        "{log:?}"
    );

    // Only the batch that the config names.
    let config = format!(
        r#"{{"ops": {{"train_model_asset": {{"config": {{"batches": ["{}"]}}}}}}}}"#,
        older.id
    );
    place.json(
        "data",
        &[
            "job",
            "execute",
            "-j",
            "ml_training_job",
            "--batch",
            &newer.id,
            "--config",
            &config,
        ],
    );
    let model = place.json("data", &["model", "show"]);
    assert_eq!(model["batch_ids"], serde_json::json!([older.id]));
    assert_eq!(model["config"]["batches"], serde_json::json!([older.id]));
}

#[test]
fn a_batch_whose_outcomes_are_not_known_yet_does_not_train_and_the_log_says_so() {
    let place = Place::new();
    let (older, newer) = two_batches(&place);
    // Labels are found beside a batch.
    std::fs::remove_file(&newer.labels).unwrap();
    let arguments = [
        "job",
        "execute",
        "-j",
        "full_scoring_job",
        "--batch",
        &newer.id,
        "--file",
        newer.source.to_str().unwrap(),
        "--config",
        LATER,
    ];
    let run = place.json("data", &arguments);
    let model = place.json("data", &["model", "show"]);
    assert_eq!(model["batch_ids"], serde_json::json!([older.id]));
    let log = messages(&place, &run);
    let named = format!("batch {} is left out", newer.id);
    assert!(log.iter().any(|line| line.starts_with(&named)), "{log:?}");
}

#[test]
fn a_model_is_shown_with_intervals_curves_and_bins() {
    let place = Place::new();
    let batch = place.generate(1_500, 33, &[]);
    place.execute("data", &batch, &[]);
    let model = place.json("data", &["model", "show"]);
    for metric in [
        "auc",
        "gini",
        "ks",
        "average_precision",
        "brier",
        "log_loss",
    ] {
        let interval = &model["intervals"][metric];
        let [lower, value, upper] = [
            &interval["lower"],
            &model["metrics"][metric],
            &interval["upper"],
        ]
        .map(|number| number.as_f64().unwrap());
        assert!(lower < value && value < upper, "{metric}");
    }
    let shown = place.text("data", &["model", "show"]);
    for expected in ["VIF", "IV", "SIGN", "DeLong", "bootstrap"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }

    let curves = place.json("data", &["model", "curves"]);
    assert_eq!(curves["model_id"], model["model_id"]);
    for curve in ["roc", "ks", "calibration", "lift"] {
        let points = curves[curve].as_array().unwrap().len();
        assert!((2..=200).contains(&points), "{curve}: {points}");
    }
    let drawn = place.text("data", &["model", "curves"]);
    assert!(
        drawn.contains("worst 10 %") && drawn.contains('█'),
        "{drawn}"
    );

    let bins = place.json("data", &["model", "bins"]);
    let factors = bins["factors"].as_array().unwrap();
    let coefficients = model["coefficients"].as_array().unwrap();
    assert_eq!(factors.len(), coefficients.len());
    for (factor, part) in factors.iter().zip(coefficients) {
        assert_eq!(factor["feature"], part["feature"]);
        assert_eq!(factor["information_value"], part["information_value"]);
    }
    let one = place.text("data", &["model", "bins", "--feature", "company_age_years"]);
    assert!(
        one.contains("company_age_years") && !one.contains("has_tax_id"),
        "{one}"
    );
    let refused = place.error("data", &["model", "bins", "--feature", "shoe_size"]);
    assert!(refused.contains("company_age_years"), "{refused}");
    let id = model["model_id"].as_str().unwrap();
    let refused = place.error("data", &["model", "curves", "m-none"]);
    assert!(refused.contains("m-none"), "{refused}");

    // A second fit of the same rows, and both beside each other.
    let config = r#"{"ops": {"train_model_asset": {"config": {"penalty": "none"}}}}"#;
    place.execute("data", &batch, &["--config", config]);
    let other = place.json("data", &["model", "show"]);
    assert_ne!(other["model_id"], model["model_id"]);
    let other_id = other["model_id"].as_str().unwrap();
    let both = place.json("data", &["model", "compare", id, other_id]);
    assert_eq!(both["metrics"]["auc"]["first"], model["metrics"]["auc"]);
    assert_eq!(both["metrics"]["auc"]["second"], other["metrics"]["auc"]);
    let text = place.text("data", &["model", "compare", id, other_id]);
    assert!(
        text.contains(other_id) && text.contains("calibration slope"),
        "{text}"
    );
}
