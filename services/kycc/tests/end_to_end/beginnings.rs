//! Before there is any data: what commands say, and that they leave nothing behind.

use crate::place::Place;

#[test]
fn a_command_that_looks_at_data_says_that_there_is_no_folder_and_makes_none() {
    let place = Place::new();
    for arguments in [
        &["run", "list"][..],
        &["batch", "list"],
        &["batch", "rejected", "B1"],
        &["score", "get", "P-1"],
        &["model", "show"],
        &["label", "stats"],
        &["feature", "get", "P-1", "--batch", "B1"],
    ] {
        let said = place.error("data", arguments);
        let folder = place.path("data");
        assert!(
            said.contains(&format!("there is no data folder {}", folder.display())),
            "{said}"
        );
        assert!(
            said.contains("--data-dir") && said.contains("kycc dev"),
            "{said}"
        );
        assert!(!folder.exists(), "{arguments:?} made a folder");
    }
}

#[test]
fn what_the_program_brings_along_is_shown_without_a_folder_and_makes_none() {
    let place = Place::new();
    let jobs = place.json("data", &["job", "list"]);
    assert_eq!(jobs["location_name"], "kycc_scoring");
    let assets = place.json("data", &["asset", "list"]);
    assert!(!assets["assets"].as_array().unwrap().is_empty());
    let asset = place.json("data", &["asset", "show", "score_batch"]);
    assert_eq!(asset["key"], "score_batch");
    let features = place.json("data", &["feature", "list"]);
    assert_eq!(features["features"].as_array().unwrap().len(), 17);
    assert!(!place.path("data").exists());
}

#[test]
fn a_table_fits_the_width_that_columns_asks_for() {
    let place = Place::new();
    let listed = |columns: &str| {
        let mut command = place.command("data", &["feature", "list"]);
        let output = command.env("COLUMNS", columns).output().unwrap();
        crate::place::text(&output.stdout)
    };
    let (narrow, wide) = (listed("70"), listed("1000"));
    assert!(
        narrow.lines().all(|line| line.chars().count() <= 70),
        "{narrow}"
    );
    assert_eq!(wide.lines().count(), 18, "{wide}");
}
