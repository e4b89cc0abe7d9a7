use super::*;
use crate::core::config::Shrink;
use kycc_domain::catalogue::{FEATURE_COUNT, feature_index};
use kycc_domain::expert::expert_card;
use kycc_domain::logistic::{DEFAULT_C_GRID, Penalty};

fn config() -> Config {
    Config {
        batches: None,
        min_samples: 100,
        penalty: Penalty::L2,
        c: 1.0,
        c_search: false,
        balanced: false,
        sign_constraints: false,
        shrink_to_expert: Shrink::Auto,
        seed: 42,
    }
}

/// Parties of which the unverified and inactive go bad more often; every third label is observed where asked.
fn rows(count: usize, observed: bool) -> Vec<LabelledRow> {
    let place = |name: &str| feature_index(name).unwrap();
    (0..count)
        .map(|index| {
            let noise = (index * 7919 % 101) as f64 / 101.0;
            let mut features = [0.0; FEATURE_COUNT];
            features[place("kyc_verified")] = f64::from(index % 3 != 0);
            features[place("recent_activity_flag")] = f64::from(index % 5 != 0);
            features[place("company_age_years")] = (index % 11) as f64;
            features[place("network_size")] = (index % 17) as f64;
            let risk = 0.45
                - 0.2 * features[place("kyc_verified")]
                - 0.15 * features[place("recent_activity_flag")];
            LabelledRow {
                batch: "B".into(),
                party_id: format!("P-{index:05}"),
                t0_micros: 0,
                bad: noise < risk,
                observed,
                weight: 1.0,
                features,
            }
        })
        .collect()
}

#[test]
fn too_few_rows_are_a_result_that_says_so() {
    let outcome = train(&rows(99, true), &expert_card(), &config()).unwrap();
    assert_eq!(outcome.status, ModelStatus::Insufficient);
    assert!(
        outcome.note.starts_with("Low sample count"),
        "{}",
        outcome.note
    );
    assert!(outcome.learned.is_none() && outcome.split.is_none());
}

#[test]
fn a_model_finds_what_makes_parties_go_bad() {
    let outcome = train(&rows(2_000, true), &expert_card(), &config()).unwrap();
    assert_eq!(outcome.status, ModelStatus::Trained);
    let learned = outcome.learned.unwrap();
    assert!(learned.fit.converged);
    let auc = learned.metrics.unwrap().auc;
    assert!(auc > 0.6, "{auc}");
    let verified = expert_card()
        .factors()
        .iter()
        .position(|factor| factor.feature == "kyc_verified")
        .unwrap();
    assert!(learned.fit.coefficients[verified] < 0.0);
    assert_eq!(outcome.train.rows + outcome.holdout.rows, 2_000);
    assert_eq!(outcome.train.observed_share, 1.0);
}

#[test]
fn without_an_observed_bad_the_model_is_a_bootstrap() {
    let outcome = train(&rows(2_000, false), &expert_card(), &config()).unwrap();
    assert_eq!(outcome.status, ModelStatus::Bootstrap);
    assert_eq!(outcome.train.observed_share, 0.0);
    assert!(outcome.note.contains("no observed bad"));
}

#[test]
fn a_mixed_holdout_keeps_its_observed_rows_alone() {
    let mut mixed = rows(2_000, true);
    mixed
        .iter_mut()
        .step_by(2)
        .for_each(|row| row.observed = false);
    let outcome = train(&mixed, &expert_card(), &config()).unwrap();
    let kept = outcome.split.unwrap().holdout;
    assert!(
        kept.iter().all(|&row| mixed[row].observed) && kept.len() < 400,
        "{}",
        kept.len()
    );
    assert_eq!(outcome.holdout.rows, kept.len());
    assert_eq!(outcome.learned.unwrap().metrics.unwrap().rows, kept.len());
}

#[test]
fn a_holdout_of_one_class_is_a_result_without_figures() {
    let mut both = rows(1_000, true);
    let newer = rows(1_000, true).into_iter().map(|row| LabelledRow {
        party_id: format!("N{}", row.party_id),
        t0_micros: 1,
        bad: false,
        ..row
    });
    both.extend(newer);
    let outcome = train(&both, &expert_card(), &config()).unwrap();
    assert_eq!(outcome.status, ModelStatus::Bootstrap);
    assert!(outcome.note.contains("one class"), "{}", outcome.note);
    assert!(outcome.learned.unwrap().metrics.is_none());
}

#[test]
fn sign_constraints_hold_every_coefficient_to_its_direction() {
    let config = Config {
        sign_constraints: true,
        shrink_to_expert: Shrink::Never,
        ..config()
    };
    let learned = train(&rows(2_000, true), &expert_card(), &config)
        .unwrap()
        .learned
        .unwrap();
    assert!(
        learned
            .fit
            .coefficients
            .iter()
            .all(|coefficient| *coefficient <= 0.0)
    );
}

#[test]
fn a_search_for_c_is_reported_and_used() {
    let config = Config {
        c_search: true,
        shrink_to_expert: Shrink::Never,
        ..config()
    };
    let learned = train(&rows(1_000, true), &expert_card(), &config)
        .unwrap()
        .learned
        .unwrap();
    let search = learned.c_search.unwrap();
    assert_eq!(search.c, learned.fit.c);
    assert_eq!(search.losses.len(), DEFAULT_C_GRID.len());
}
