//! What is wrong with definitions or with the lake is told at once and with its place.

use crate::place::{Place, files_named};

/// A pipeline of one asset that reads a source.
fn pipeline(source: &str, lane: &str) -> String {
    format!(
        "location_name: test\nassets:\n  - {{ key: one, lane: {lane}, code_version: \"1\", sources: [{source}], outputs: [batch] }}\n\
         jobs:\n  - {{ name: only, assets: [one] }}\n"
    )
}

#[test]
fn a_pipeline_with_an_unknown_source_is_refused_at_the_start_and_a_lane_of_others_is_not() {
    let place = Place::new();
    let file = place.path("pipeline.yaml");
    let config = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let settings = place.path("kycc.yaml");
        std::fs::write(&settings, format!("pipeline: {}\n", file.display())).unwrap();
        settings.to_str().unwrap().to_owned()
    };
    let settings = config(&pipeline("batch_sauce", "ingestion"));
    let said = place.error("data", &["--config-file", &settings, "job", "list"]);
    for wanted in [
        file.to_str().unwrap(),
        "asset one reads the source batch_sauce",
        "did you mean batch_source?",
        "active_scorecard",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
    let settings = config(&pipeline("batch_source", "elsewhere"));
    let mut command = place.command("data", &["--config-file", &settings, "job", "list"]);
    let output = command.env("KYCC_LOG", "warn").output().unwrap();
    assert!(output.status.success());
    let log = crate::place::text(&output.stderr);
    assert!(log.contains("asset one is for the lane elsewhere"), "{log}");
}

#[test]
fn a_broken_file_of_the_lake_is_named_by_its_place_in_the_lake() {
    let place = Place::new();
    let batch = place.generate(150, 21, &[]);
    place.execute("data", &batch, &[]);
    let vectors = place.path("data/lake/features");
    let manifests = files_named(&vectors, "manifest.json");
    std::fs::write(&manifests[0], "{\"rows\"").unwrap();
    let party = ["feature", "get", "P", "--batch", &batch.id];
    let said = place.error("data", &party);
    let within = manifests[0].strip_prefix(place.path("data/lake")).unwrap();
    assert!(said.contains(within.to_str().unwrap()), "{said}");
    assert!(said.contains("run its step again"), "{said}");
    assert!(
        !said.contains(place.path("data").to_str().unwrap()),
        "{said}"
    );
}
