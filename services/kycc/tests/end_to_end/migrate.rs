//! `kycc migrate`: what it says, and with which code it ends.

use crate::place::Place;

#[test]
fn tables_are_checked_made_once_and_found_up_to_date() {
    let place = Place::new();
    let before = place.error("data", &["migrate", "--check"]);
    for service in ["labels", "training", "scorecards", "orchestrator"] {
        assert!(before.contains(&format!("tables of {service}")), "{before}");
    }
    assert!(before.contains("run `kycc migrate`"), "{before}");

    let made = place.json("data", &["migrate"]);
    for tables in made["services"].as_array().unwrap() {
        assert_eq!(tables["from"], 0, "{tables}");
        assert!(tables["to"].as_i64().unwrap() >= 1, "{tables}");
    }
    assert!(
        place
            .text("data", &["migrate", "--check"])
            .contains("up to date")
    );
    let again = place.json("data", &["migrate"]);
    for tables in again["services"].as_array().unwrap() {
        assert_eq!(tables["from"], tables["to"]);
    }
}
