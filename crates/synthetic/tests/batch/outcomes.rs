//! The labels: all parties, the wished-for rate, and related to what can be seen.

use kycc_synthetic::Spec;

use crate::{generate, text};

#[test]
fn every_party_is_labelled_and_about_eight_percent_default() {
    for seed in 1..=5 {
        let batch = generate(Spec {
            transactions_per_party: 1.0,
            ..Spec::new("B", 2_000, seed)
        });
        let parties: Vec<&str> = batch
            .table("parties")
            .iter()
            .map(|row| text(row, "party_id"))
            .collect();
        let labelled: Vec<&str> = batch
            .labels
            .iter()
            .map(|row| text(row, "party_id"))
            .collect();
        assert_eq!(parties, labelled);
        assert!(parties.is_sorted());
        assert!(
            batch
                .labels
                .iter()
                .all(|row| row.len() == 3 && row["batch_id"] == batch.spec.batch_id.as_str())
        );
        let defaults = batch
            .outcomes()
            .values()
            .filter(|defaults| **defaults)
            .count() as u64;
        assert_eq!(defaults, batch.written.defaults);
        assert!(
            (120..=210).contains(&defaults),
            "{defaults} of 2000 default with seed {seed}"
        );
    }
}

#[test]
fn what_a_party_lets_see_tells_something_about_its_outcome_but_not_all() {
    let batch = generate(Spec {
        transactions_per_party: 0.0,
        ..Spec::new("B", 5_000, 9)
    });
    let outcomes = batch.outcomes();
    let default_rate = |verified: u64| {
        let parties = batch.table("parties");
        let chosen: Vec<bool> = parties
            .iter()
            .filter(|row| row["kyc_verified"] == verified)
            .map(|row| outcomes[text(row, "party_id")])
            .collect();
        chosen.iter().filter(|defaults| **defaults).count() as f64 / chosen.len() as f64
    };
    let (verified, unverified) = (default_rate(1), default_rate(0));
    assert!(
        unverified > 1.5 * verified,
        "{unverified} unverified, {verified} verified"
    );
    assert!(
        unverified < 0.5 && verified > 0.01,
        "{unverified} unverified, {verified} verified"
    );
}
