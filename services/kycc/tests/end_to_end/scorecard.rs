//! The life of a scorecard on the command line.

use std::collections::BTreeMap;

use kycc_domain::canonical::sha256_hex;
use serde_json::Value;

use crate::place::{Place, text};

/// A run's draft: whatever its gates say, it is a candidate.
fn draft(place: &Place, seed: u32) -> String {
    let batch = place.generate(300, seed, &[]);
    place.execute("data", &batch, &[]);
    let versions = place.json("data", &["scorecard", "list"]);
    let newest = &versions["versions"][0];
    assert_ne!(newest["version"], "1.0", "the run made no draft");
    newest["version"].as_str().unwrap().to_owned()
}

const LIST: [&str; 5] = ["audit", "list", "--service", "scorecards", "--oldest-first"];

fn audit(place: &Place) -> Vec<(String, String)> {
    let log = place.json("data", &LIST);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = log["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| (text(&entry["action"]), text(&entry["subject"])))
        .collect()
}

#[test]
fn a_draft_is_looked_at_put_into_the_shadow_and_rejected_with_an_entry_for_each() {
    let place = Place::new();
    let draft = draft(&place, 21);
    let why = ["--reason", "to see what it would do"];
    let with = |verb: &'static str, version: &str| {
        let mut arguments = vec!["scorecard", verb, version];
        arguments.extend(why);
        place.json("data", &arguments)
    };
    let card = place.text("data", &["scorecard", "card", &draft]);
    assert!(card.contains(&draft) && card.starts_with('#'), "{card}");
    let impact = place.json("data", &["scorecard", "impact", &draft]);
    assert_eq!(impact["champion_version"], "1.0");
    let cells = impact["migration"].as_array().unwrap().iter();
    let moved: u64 = cells
        .flat_map(|row| row["parties"].as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(impact["parties"].as_u64(), Some(moved));

    let shown = with("shadow", &draft);
    assert_eq!(shown["shadow"], true);
    // Once more: nothing is written twice, and that is said.
    assert_eq!(with("shadow", &draft)["etag"], shown["etag"]);
    let mut again = vec!["scorecard", "shadow", &draft];
    again.extend(why);
    let again = place.run("data", &again);
    let said = text(&again.stderr);
    assert!(said.contains("nothing changed: version"), "{said}");
    let rejected = with("reject", &draft);
    assert_eq!(
        (&rejected["status"], &rejected["shadow"]),
        (&Value::from("retired"), &Value::from(false))
    );
    let actions = audit(&place);
    let of_draft = actions
        .iter()
        .filter(|(_, subject)| *subject == format!("scorecard/{draft}"));
    let of_draft: Vec<_> = of_draft.map(|(action, _)| action.as_str()).collect();
    assert_eq!(of_draft, ["enter", "shadow", "unshadow", "reject"]);
    let refused = place.error(
        "data",
        &["scorecard", "activate", &draft, "--reason", "after all"],
    );
    assert!(refused.contains("was rejected"), "{refused}");
}

#[test]
fn an_etag_from_before_another_change_is_refused() {
    let place = Place::new();
    let draft = draft(&place, 22);
    let etag = place.json("data", &["scorecard", "show", &draft])["etag"].clone();
    place.json(
        "data",
        &["scorecard", "shadow", &draft, "--reason", "look first"],
    );
    let mut arguments = vec!["scorecard", "reject", &draft, "--reason", "too few bads"];
    arguments.extend(["--etag", etag.as_str().unwrap()]);
    let refused = place.error("data", &arguments);
    assert!(refused.contains("has changed since"), "{refused}");
}

#[test]
fn the_log_is_verified_and_a_hash_that_it_does_not_hold_ends_with_code_one() {
    let place = Place::new();
    draft(&place, 23);
    let found = place.json("data", &["audit", "verify", "scorecards"]);
    let chain = &found["chains"][0];
    assert_eq!(
        (&found["intact"], &chain["entries"]),
        (&Value::from(true), &Value::from(CHAIN))
    );
    let head = chain["head_hash"].as_str().unwrap();
    place.text("data", &["audit", "verify", "scorecards", "--known", head]);
    let stranger = "ab".repeat(32);
    let broken = place.error(
        "data",
        &["audit", "verify", "scorecards", "--known", &stranger],
    );
    assert!(broken.contains("cut short or written anew"), "{broken}");
}

/// Entries of a store with one draft: the first card, the first rules, and the draft.
const CHAIN: usize = 3;

#[test]
fn a_launched_run_is_told_in_the_log_with_who_launched_it_and_every_chain_is_intact() {
    let place = Place::new();
    draft(&place, 25);
    let runs = place.json("data", &["run", "list"]);
    let run = runs["runs"][0]["run_id"].as_str().unwrap();
    let log = place.json(
        "data",
        &["audit", "list", "--subject", &format!("run/{run}")],
    );
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "{log}");
    assert_eq!(entries[0]["action"], "launch");
    assert_eq!(entries[0]["trace_id"].as_str().unwrap().len(), 32);
    let found = place.json("data", &["audit", "verify"]);
    assert_eq!(found["intact"], true, "{found}");
}

/// Of `docs/scorecard-life.md`, "The log".
const SEALED: [&str; 11] = [
    "action",
    "create_time_micros",
    "details_json",
    "previous_hash",
    "principal",
    "reason",
    "request_id",
    "sequence",
    "service",
    "subject",
    "trace_id",
];

#[test]
fn every_hash_of_the_log_can_be_worked_out_from_what_the_command_prints() {
    let place = Place::new();
    let draft = draft(&place, 24);
    let reason = "zu wenige Ausfälle, \"noch\"";
    place.json("data", &["scorecard", "reject", &draft, "--reason", reason]);
    let log = place.json("data", &LIST);
    let mut previous = "0".repeat(64);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), CHAIN + 1);
    for entry in entries {
        assert_eq!(entry["previous_hash"], previous.as_str());
        // Sorted, as a BTreeMap is.
        let sealed: BTreeMap<&str, &Value> = SEALED.map(|key| (key, &entry[key])).into();
        assert!(sealed.values().all(|value| !value.is_null()), "{entry}");
        let hash = sha256_hex(&serde_json::to_string(&sealed).unwrap());
        assert_eq!(entry["hash"], hash.as_str(), "{entry}");
        previous = hash;
    }
}

#[test]
fn an_unknown_version_is_not_found_however_short_its_name_is() {
    let place = Place::new();
    for name in ["7", "1.0-nosuch"] {
        let refused = place.error(
            "data",
            &["scorecard", "approve", name, "--reason", "looks fine"],
        );
        assert!(
            refused.contains("there is no scorecard version")
                && refused.contains("kycc scorecard list"),
            "{refused}"
        );
    }
}

#[test]
fn nothing_is_rolled_back_before_anything_was_activated() {
    let place = Place::new();
    let refused = place.error("data", &["scorecard", "rollback", "--reason", "go back"]);
    assert!(
        refused.contains("no version was active before"),
        "{refused}"
    );
}
