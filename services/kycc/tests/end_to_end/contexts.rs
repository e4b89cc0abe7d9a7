//! Names for fleets, completions and man pages.

use serde_json::Value;

use crate::place::{Place, text};

/// The command away from the folder of any fleet, with a file of contexts of the test's own.
fn away(place: &Place, arguments: &[&str]) -> (bool, String, String) {
    let mut command = place.command("nowhere", arguments);
    let output = command
        .env("KYCC_CONTEXTS", place.path("contexts.json"))
        .output()
        .unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output.status.success(), out, err)
}

#[test]
fn a_fleet_elsewhere_is_reached_by_its_name() {
    let place = Place::new();
    let batch = place.generate(60, 71, &[]);
    place.execute("data", &batch, &[]);
    let _dev = place.dev("data");
    let note = std::fs::read_to_string(place.path("data").join("fleet.json")).unwrap();
    let note: Value = serde_json::from_str(&note).unwrap();
    let address = note["grpc_addr"].as_str().unwrap();

    let (added, _, err) = away(&place, &["context", "add", "here", "--address", address]);
    assert!(added, "{err}");
    let (_, listed, _) = away(&place, &["--json", "context", "list"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["current"], "here");
    assert_eq!(listed["contexts"]["here"]["address"], address);
    let (found, batches, err) = away(&place, &["--json", "--context", "here", "batch", "list"]);
    assert!(found, "{err}");
    let batches: Value = serde_json::from_str(&batches).unwrap();
    assert_eq!(batches["batches"][0]["batch_id"], batch.id.as_str());
    assert!(!place.path("nowhere").exists(), "a client needs no folder");

    let (known, _, err) = away(&place, &["--context", "there", "run", "list"]);
    assert!(
        !known && err.contains("there is no context \"there\"; there are here"),
        "{err}"
    );
    let (removed, _, err) = away(&place, &["context", "remove", "here"]);
    assert!(removed, "{err}");
    let (_, listed, _) = away(&place, &["--json", "context", "list"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed, serde_json::json!({ "contexts": {} }));
}

#[test]
fn shells_and_man_are_told_of_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.text("nowhere", &["completions", shell]);
        assert!(
            script.contains("scorecard") && script.contains("allow-root"),
            "{shell}"
        );
    }
    place.text("nowhere", &["man", "man"]);
    for page in ["kycc.1", "kycc-run.1", "kycc-scorecard-approve.1"] {
        let page = std::fs::read_to_string(place.path("man").join(page)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{page}");
    }
}
