//! What each command answers, with and without a running fleet.

use serde_json::Value;

use crate::place::{Place, digests, text, until};

#[test]
fn a_party_is_explained_down_to_its_points_and_lists_agree_with_it() {
    let place = Place::new();
    let batch = place.generate(200, 1, &[]);
    place.execute("data", &batch, &[]);
    let all = place.json(
        "data",
        &["score", "list", "--batch", &batch.id, "--limit", "1000"],
    );
    let all = all["scores"].as_array().unwrap();
    assert_eq!(all.len(), 200);
    let poor = place.json(
        "data",
        &[
            "score", "list", "--batch", &batch.id, "--band", "poor", "--limit", "1000",
        ],
    );
    let of_band = all.iter().filter(|score| score["band"] == "poor").count();
    assert_eq!(poor["scores"].as_array().unwrap().len(), of_band);
    let one = &all[17];
    let alone = place.json("data", &["score", "get", one["party_id"].as_str().unwrap()]);
    assert_eq!(alone["raw"], one["raw"]);
    let points = alone["contributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["points"].as_f64().unwrap());
    assert!((300.0 + points.sum::<f64>() - one["raw"].as_f64().unwrap()).abs() < 1e-9);
    let features = place.json(
        "data",
        &[
            "feature",
            "get",
            one["party_id"].as_str().unwrap(),
            "--batch",
            &batch.id,
        ],
    );
    assert_eq!(features["features"].as_object().unwrap().len(), 17);
}

#[test]
fn what_if_gives_the_published_score_for_the_published_features() {
    let place = Place::new();
    let batch = place.generate(200, 2, &[]);
    place.execute("data", &batch, &[]);
    let party = place.json(
        "data",
        &["score", "list", "--batch", &batch.id, "--limit", "1"],
    )["scores"][0]
        .clone();
    let id = party["party_id"].as_str().unwrap();
    let vector = place.json("data", &["feature", "get", id, "--batch", &batch.id]);
    let given: Vec<String> = vector["features"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, feature)| format!("--feature={name}={}", feature["value"]))
        .collect();
    let arguments: Vec<&str> = ["score", "what-if"]
        .into_iter()
        .chain(given.iter().map(String::as_str))
        .collect();
    let what_if = place.json("data", &arguments);
    assert_eq!(
        (&what_if["raw"], &what_if["final_score"]),
        (&party["raw"], &party["final_score"])
    );
}

#[test]
fn commands_talk_to_the_fleet_that_holds_the_folder_and_a_second_fleet_is_refused() {
    let place = Place::new();
    let batch = place.generate(200, 3, &[]);
    let dev = place.dev("data");
    let refused = place.error(
        "data",
        &[
            "dev",
            "--grpc-addr",
            "127.0.0.1:0",
            "--console-addr",
            "127.0.0.1:0",
        ],
    );
    assert!(refused.contains("is in use by process"), "{refused}");
    let run = place.execute("data", &batch, &[]);
    assert_eq!(run["status"], "SUCCESS");
    assert_eq!(run["principal"], "tester");
    let listed = place.json("data", &["run", "list"]);
    assert_eq!(listed["runs"][0]["run_id"], run["run_id"]);
    let logs = place.text("data", &["run", "logs", run["run_id"].as_str().unwrap()]);
    assert!(
        logs.contains("RUN_SUCCESS") && logs.contains("ASSET_MATERIALIZATION"),
        "{logs}"
    );
    dev.signal("TERM");
    assert_eq!(dev.wait(), Some(0));
    // The same answers come from the folder alone.
    assert_eq!(
        place.json("data", &["run", "list"])["runs"][0]["run_id"],
        run["run_id"]
    );
}

#[test]
fn a_canceled_run_says_so_and_can_be_retried_to_the_same_digests() {
    let place = Place::new();
    let batch = place.generate(20_000, 4, &[]);
    let dev = place.dev("data");
    let mut command = place.command(
        "data",
        &["--json", "job", "execute", "-j", "full_scoring_job"],
    );
    command
        .arg("--batch")
        .arg(&batch.id)
        .arg("--file")
        .arg(&batch.source)
        .arg("--labels")
        .arg(&batch.labels);
    let follower = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let id = until("the run works", || {
        let runs = place.json("data", &["run", "list"]);
        let run = &runs["runs"][0];
        let working = run["steps"]
            .as_array()?
            .iter()
            .any(|step| step["status"] == "RUNNING");
        working.then(|| run["run_id"].as_str().unwrap().to_owned())
    });
    place.text("data", &["run", "cancel", &id]);
    let output = follower.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    let retried = place.json("data", &["run", "retry", &id]);
    assert_eq!(
        (&retried["status"], &retried["parent_run_id"]),
        (&Value::from("SUCCESS"), &Value::from(id))
    );
    drop(dev);
    let elsewhere = place.execute("elsewhere", &batch, &[]);
    assert_eq!(digests(&retried), digests(&elsewhere));
}

#[test]
fn a_draft_that_only_knows_the_scorecards_own_labels_cannot_be_activated() {
    let place = Place::new();
    let batch = place.generate(300, 5, &[]);
    // Without its labels, which lie beside it by default.
    std::fs::remove_file(&batch.labels).unwrap();
    let source = batch.source.to_str().unwrap();
    let run = place.json(
        "data",
        &[
            "job",
            "execute",
            "-j",
            "full_scoring_job",
            "--batch",
            &batch.id,
            "--file",
            source,
        ],
    );
    assert_eq!(run["status"], "SUCCESS");
    let versions = place.json("data", &["scorecard", "list"]);
    let draft = versions["versions"][0]["version"].as_str().unwrap();
    let refused = place.error(
        "data",
        &["scorecard", "activate", draft, "--reason", "looks fine"],
    );
    assert!(refused.contains("CIRCULAR_LABELS"), "{refused}");
    let active = place.json("data", &["scorecard", "show"]);
    assert_eq!(active["version"], "1.0");
}

#[test]
fn a_wrong_key_of_the_run_config_is_refused_with_its_path_before_anything_runs() {
    let place = Place::new();
    let config = r#"{"ops": {"ingest_synthetic_batch": {"config": {"batch_idd": "B"}}}}"#;
    let refused = place.error(
        "data",
        &[
            "job",
            "execute",
            "-j",
            "full_scoring_job",
            "--config",
            config,
        ],
    );
    assert!(
        refused.contains("ops.ingest_synthetic_batch.config.batch_idd"),
        "{refused}"
    );
    assert_eq!(
        place.json("data", &["run", "list"])["runs"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn jobs_without_ingestion_run_for_a_batch_by_its_name_alone() {
    let place = Place::new();
    let batch = place.generate(150, 8, &[]);
    place.execute("data", &batch, &[]);
    for job in ["feature_job", "scoring_job", "ml_training_job"] {
        let run = place.json("data", &["job", "execute", "-j", job, "--batch", &batch.id]);
        assert_eq!(run["status"], "SUCCESS", "{job}");
    }
}

#[test]
fn a_run_that_was_left_behind_is_canceled_without_a_fleet_and_retried_elsewhere() {
    let place = Place::new();
    let batch = place.generate(150, 9, &[]);
    let (source, labels) = (
        batch.source.to_str().unwrap(),
        batch.labels.to_str().unwrap(),
    );
    let mut command = place.command(
        "data",
        &["job", "execute", "-j", "full_scoring_job", "--file", source],
    );
    command
        .args(["--batch", &batch.id, "--labels", labels])
        .env("KYCC_CRASH_AT", "worker.pulled");
    assert!(!command.output().unwrap().status.success());
    let id = place.json("data", &["run", "list"])["runs"][0]["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let canceled = place.json("data", &["run", "cancel", &id]);
    assert!(
        matches!(canceled["status"].as_str(), Some("CANCELED" | "SUCCESS")),
        "{canceled:#}"
    );
    // From another folder: what was named on the first command line may still be read.
    let mut retry = place.command("data", &["--json", "run", "retry", "--all-steps", &id]);
    let output = retry.current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn one_asset_is_made_of_files_of_ones_own() {
    let place = Place::new();
    let batch = place.generate(150, 10, &["--format", "csv"]);
    let file = |table: &str| {
        format!(
            "{table}={}/{}_{table}.csv",
            batch.source.display(),
            batch.id
        )
    };
    let (parties, relationships) = (file("parties"), file("relationships"));
    let mut arguments = vec![
        "asset",
        "materialize",
        "extract_network_features",
        "--batch",
        "OWN",
    ];
    arguments.extend([
        "--as-of",
        "2026-01-31T00:00:00Z",
        "--input",
        &parties,
        "--input",
        &relationships,
    ]);
    let run = place.json("data", &arguments);
    let made = digests(&run);
    assert!(made.contains_key("network_features"), "{made:?}");
    let whole = place.execute("whole", &batch, &[]);
    assert_eq!(
        made["network_features"],
        digests(&whole)["network_features"]
    );
}

#[test]
fn output_that_nobody_reads_ends_the_command_quietly() {
    let place = Place::new();
    let mut command = place.command("data", &["--json", "asset", "list"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
}
