//! Each gate on a population where it passes, and with the one thing changed that must stop it.

use super::*;
use crate::card::{PdLink, PdoAnchor, Provenance, Scorecard, ScoringContent};
use crate::expert::expert_card;
use crate::matrix::Matrix;
use crate::refine::WantedScaling;

mod population;

pub(super) use population::{FACTORS, Population, reweighted};

#[test]
fn sound_draft_is_gated_and_activatable() {
    let report = Population::new().report();
    let order: Vec<Gate> = report.gates.iter().map(|g| g.gate).collect();
    assert_eq!(
        order,
        [
            Gate::Provenance,
            Gate::CircularLabels,
            Gate::Floor,
            Gate::Champion,
            Gate::Stability,
            Gate::Impact,
            Gate::Weights,
            Gate::Calibration,
            Gate::RankOrder
        ]
    );
    for result in &report.gates {
        assert!(result.status.passes(), "{result:?}");
        assert!(result.numbers.iter().all(|n| n.value.is_finite()));
    }
    assert_eq!(report.verdict, Verdict::Gated);
    assert!(report.activatable && !report.bootstrap);
    // Outcomes follow the expert's own weights, so the draft can at best be as good.
    assert_eq!(report.wanting_notes().collect::<Vec<_>>(), [Gate::Champion]);
}

#[test]
fn scorecard_labels_alone_fail_and_leave_the_rest_unjudged() {
    let mut population = Population::new();
    population.train_observed.fill(false);
    population.holdout_observed.fill(false);
    let report = population.report();
    let status = |gate| report.result(gate).unwrap().status;
    assert_eq!(status(Gate::Provenance), GateStatus::Fail);
    assert_eq!(status(Gate::CircularLabels), GateStatus::Fail);
    for gate in [
        Gate::Floor,
        Gate::Champion,
        Gate::Stability,
        Gate::Calibration,
        Gate::RankOrder,
    ] {
        let result = report.result(gate).unwrap();
        assert_eq!(result.status, GateStatus::NotEvaluated);
        assert_eq!(result.message, "the holdout has no observed outcome");
    }
    assert!(status(Gate::Impact).passes() && status(Gate::Weights).passes());
    assert_eq!(report.impact.parties, 1500);
    // Who moves is shown; whether they are bad, nobody knows.
    assert_eq!(report.impact.bads, None);
    assert!(report.impact.migration_bads.is_empty());
    assert!(
        report
            .impact
            .champion_cutoffs
            .iter()
            .all(|row| row.bads_caught.is_none())
    );
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.bootstrap && !report.activatable);
}

#[test]
fn only_observed_holdout_rows_count() {
    let mut population = Population::new();
    for row in 1000..1500 {
        // Scorecard labels that would turn every gate over, were they used.
        population.holdout_observed[row] = false;
        population.holdout_bad[row] = population.challenger_raw[row] > 500.0;
    }
    let report = population.report();
    assert_eq!(report.verdict, Verdict::Gated);
    assert_eq!(report.impact.parties, 1000);
    let provenance = report.result(Gate::Provenance).unwrap();
    assert_eq!(provenance.get("observed_rows"), Some(1000.0));
}

#[test]
fn provenance_wants_fifty_of_each_class() {
    let mut population = Population::new();
    let mut bads = 0;
    for row in 0..1500 {
        bads += usize::from(population.holdout_bad[row]);
        population.holdout_observed[row] = !population.holdout_bad[row] || bads <= 50;
    }
    assert_eq!(population.status(Gate::Provenance), GateStatus::Pass);
    let last = (0..1500)
        .rfind(|&row| population.holdout_bad[row] && population.holdout_observed[row])
        .unwrap();
    population.holdout_observed[last] = false;
    assert_eq!(population.status(Gate::Provenance), GateStatus::Fail);
}

#[test]
fn half_of_the_training_weight_must_be_observed() {
    let mut population = Population::new();
    population.train_observed[..3000].fill(false);
    assert_eq!(population.status(Gate::CircularLabels), GateStatus::Pass);
    population.train_observed[3000] = false;
    assert_eq!(population.status(Gate::CircularLabels), GateStatus::Fail);
    // Light scorecard rows are what the blended policy makes of them.
    let weights: Vec<f64> = (0..6000)
        .map(|row| if row <= 3000 { 0.5 } else { 1.0 })
        .collect();
    let input = GateInput {
        train_weights: Some(&weights),
        ..population.input()
    };
    let report = evaluate(&input).unwrap();
    assert_eq!(
        report.result(Gate::CircularLabels).unwrap().status,
        GateStatus::Pass
    );
}

#[test]
fn challenger_that_ranks_by_chance_fails_floor_and_champion() {
    let mut population = Population::new();
    for (row, raw) in population.challenger_raw.iter_mut().enumerate() {
        *raw = 300.0 + (row * 7919 % 600) as f64;
    }
    assert_eq!(population.status(Gate::Floor), GateStatus::Fail);
    assert_eq!(population.status(Gate::Champion), GateStatus::Fail);
}

#[test]
fn challenger_over_a_champion_that_ranks_by_chance_is_superior() {
    let mut population = Population::new();
    for (row, raw) in population.champion_raw.iter_mut().enumerate() {
        *raw = 300.0 + (row * 7919 % 600) as f64;
    }
    let report = population.report();
    let result = report.result(Gate::Champion).unwrap();
    assert_eq!(result.status, GateStatus::Pass);
    assert!(result.get("lower_95").unwrap() > 0.0);
    // The cards now spread the parties quite differently.
    assert_eq!(
        report.result(Gate::Impact).unwrap().status,
        GateStatus::NeedsNote
    );
}

#[test]
fn one_class_in_the_holdout_is_not_judged_and_says_so() {
    let mut population = Population::new();
    population.holdout_bad.fill(false);
    let report = population.report();
    let result = report.result(Gate::Floor).unwrap();
    assert_eq!(result.status, GateStatus::NotEvaluated);
    assert!(
        result.message.contains("1500 good and 0 bad rows"),
        "{}",
        result.message
    );
    assert!(report.bootstrap && !report.activatable);
}

#[test]
fn shifted_factor_is_named() {
    let mut population = Population::new();
    for row in population.holdout.chunks_exact_mut(FACTORS) {
        row[2] *= 0.3;
    }
    let report = population.report();
    let result = report.result(Gate::Stability).unwrap();
    let feature = population.challenger.factors()[2].feature.clone();
    assert_eq!(result.status, GateStatus::Fail);
    assert!(
        result
            .message
            .starts_with(&format!("shifted: {feature} (PSI"))
    );
    assert!(result.get(&format!("psi.{feature}")).unwrap() > 0.25);
}

#[test]
fn weights_that_jump_vanish_or_turn_are_found() {
    let champion = reweighted(&[]);
    let judge = |changes: &[(&str, f64)]| weights::gate(&champion, &reweighted(changes));
    assert_eq!(judge(&[]).status, GateStatus::Pass);

    let turned = judge(&[("contact_completeness", -1.0)]);
    assert_eq!(turned.status, GateStatus::Fail);
    assert!(turned.message.contains("contact_completeness"));

    let zeroed = judge(&[("contact_completeness", 0.0)]);
    assert_eq!(zeroed.status, GateStatus::NeedsNote);
    assert_eq!(zeroed.message, "weight gone to zero: contact_completeness");

    let jumped = judge(&[("recent_activity_flag", 60.0)]);
    assert_eq!(jumped.status, GateStatus::Fail);
    assert!(jumped.message.starts_with("share moved by more than 10"));
    let expected = 100.0 * 60.0 / 200.0 - 100.0 * 25.0 / 165.0;
    let moved = jumped.get("share_move.recent_activity_flag").unwrap();
    assert!((moved - expected).abs() < 1e-9);
}

#[test]
fn share_that_moves_by_exactly_ten_points_passes() {
    // Total stays 165; 16.5 of it are 10 of 100.
    let exactly = reweighted(&[("transaction_count_6m", 3.5), ("has_tax_id", 26.5)]);
    assert_eq!(
        weights::gate(&expert_card(), &exactly).status,
        GateStatus::Pass
    );
    let beyond = reweighted(&[("transaction_count_6m", 3.4), ("has_tax_id", 26.6)]);
    assert_eq!(
        weights::gate(&expert_card(), &beyond).status,
        GateStatus::Fail
    );
}

#[test]
fn miscalibrated_link_fails_and_a_missing_one_is_not_judged() {
    let mut population = Population::new();
    let relinked = |population: &Population, change: Option<f64>| {
        let content = population.challenger.content().clone();
        let link = change.and_then(|by| {
            content.link.map(|link| PdLink {
                intercept: link.intercept + by,
                ..link
            })
        });
        Scorecard::new(
            "d",
            ScoringContent { link, ..content },
            Provenance::default(),
        )
        .unwrap()
    };
    let (shifted, unlinked) = (
        relinked(&population, Some(1.0)),
        relinked(&population, None),
    );
    population.challenger = shifted;
    assert_eq!(population.status(Gate::Calibration), GateStatus::Fail);
    population.challenger = unlinked;
    let report = population.report();
    assert_eq!(
        report.result(Gate::Calibration).unwrap().status,
        GateStatus::NotEvaluated
    );
    assert_eq!(report.verdict, Verdict::Failed);
}

#[test]
fn better_band_with_more_bads_fails_rank_order() {
    let mut population = Population::new();
    for (raw, bad) in population
        .challenger_raw
        .iter()
        .zip(&mut population.holdout_bad)
    {
        *bad = *bad || *raw >= 699.5;
    }
    let report = population.report();
    let result = report.result(Gate::RankOrder).unwrap();
    assert_eq!(result.status, GateStatus::Fail);
    assert!(result.message.contains("good"), "{}", result.message);
}

#[test]
fn impact_counts_migrations_and_swaps() {
    let champion = expert_card();
    let values = vec![0.5; 4 * FACTORS];
    let raw_before = [850.0, 590.0, 610.0, 320.0];
    let raw_after = [850.0, 610.0, 590.0, 799.5];
    let input = GateInput {
        champion: &champion,
        champion_link: None,
        challenger: &champion,
        train: Matrix::new(&values, FACTORS).unwrap(),
        train_raw: &raw_before,
        train_observed: &[true; 4],
        train_weights: None,
        holdout: Matrix::new(&values, FACTORS).unwrap(),
        holdout_bad: &[true, false, true, false],
        holdout_observed: &[true; 4],
        holdout_champion_raw: &raw_before,
        holdout_challenger_raw: &raw_after,
    };
    let impact = evaluate(&input).unwrap().impact;
    let swap = &impact.swap;
    assert_eq!((swap.swapped_in.parties, swap.swapped_out.parties), (2, 1));
    assert_eq!(
        (swap.swapped_in.bads, swap.swapped_out.bads),
        (Some(0), Some(1))
    );
    assert_eq!(
        (swap.both_accepted.parties, swap.both_rejected.parties),
        (1, 0)
    );
    assert_eq!(swap.both_accepted.bad_rate, Some(1.0));
    assert_eq!(swap.both_rejected.bad_rate, None);
    assert_eq!(impact.migration_bads[0][0], 1);
    assert_eq!(impact.migration_bads[4][0], 0);
    assert_eq!(impact.challenger_by_band[0].bad_rate, Some(0.5));
    assert_eq!(impact.moved(), (2, 1));
    assert_eq!(impact.migration[0][0], 1);
    assert_eq!(impact.migration[3][2], 1);
    assert_eq!(impact.migration[2][3], 1);
    // 799.5 rounds half up into the best band.
    assert_eq!(impact.migration[4][0], 1);
}

#[test]
fn inputs_that_do_not_fit_together_are_refused_by_name() {
    let population = Population::new();
    let short = GateInput {
        holdout_bad: &population.holdout_bad[1..],
        ..population.input()
    };
    assert_eq!(
        evaluate(&short).unwrap_err(),
        GateError::Length {
            what: "holdout_bad",
            got: 1499,
            expected: 1500
        }
    );
    let mut raw = population.champion_raw.clone();
    raw[3] = f64::NAN;
    let broken = GateInput {
        holdout_champion_raw: &raw,
        ..population.input()
    };
    assert_eq!(
        evaluate(&broken).unwrap_err(),
        GateError::NotFinite {
            what: "holdout_champion_raw",
            row: 3
        }
    );
}

#[test]
fn report_survives_json_with_stable_names() {
    let report = Population::new().report();
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains(r#""gate":"CIRCULAR_LABELS","status":"pass""#));
    for result in &report.gates {
        assert_eq!(
            serde_json::to_value(result.gate).unwrap(),
            result.gate.name()
        );
    }
    let back: GateReport = serde_json::from_str(&text).unwrap();
    assert_eq!(back, report);
}

#[test]
fn other_points_per_doubling_of_the_odds_are_another_scale() {
    let scaled = |pdo| {
        Population::scaled(WantedScaling::Pdo(PdoAnchor {
            pdo,
            ..PdoAnchor::default()
        }))
    };
    let usual = scaled(20.0);
    for (pdo, rescaled) in [(20.0, false), (40.0, true)] {
        let mut population = scaled(pdo);
        population.champion = usual.challenger.clone();
        population.champion_raw = usual.challenger_raw.clone();
        assert_eq!(population.report().impact.rescaled, rescaled, "{pdo}");
    }
}
