//! Every verdict can be worked out again from the numbers beside it, by hand; and the tables add up.

use super::tests::{FACTORS, Population, reweighted};
use super::*;
use crate::card::PdoAnchor;
use crate::refine::WantedScaling;

/// The status that a reader of the numbers alone comes to.
fn by_hand(result: &GateResult) -> GateStatus {
    let get = |name: &str| {
        let value = result.get(name);
        value.unwrap_or_else(|| panic!("{:?} has no number {name}", result.gate))
    };
    let named = |prefix: &str| -> Vec<(String, f64)> {
        let of = |n: &Number| Some((n.name.strip_prefix(prefix)?.to_owned(), n.value));
        result.numbers.iter().filter_map(of).collect()
    };
    let passes = |holds| {
        if holds {
            GateStatus::Pass
        } else {
            GateStatus::Fail
        }
    };
    match result.gate {
        Gate::Provenance => {
            passes(get("observed_bads").min(get("observed_goods")) >= get("required_per_class"))
        }
        Gate::CircularLabels => {
            let share = get("observed_weight") / get("total_weight");
            passes(share >= get("required_share"))
        }
        Gate::Floor => {
            let lower = get("auc") - crate::metrics::NORMAL_95 * get("standard_error");
            assert!((lower.max(0.0) - get("lower_95")).abs() < 1e-12);
            passes(get("lower_95") >= get("required_lower"))
        }
        Gate::Champion => {
            let delta = get("challenger_auc") - get("champion_auc");
            assert!((delta - get("delta")).abs() < 1e-12);
            if get("delta") > 0.0 && get("p_value") < get("significant_below") {
                GateStatus::Pass
            } else if get("lower_95") > get("inferior_at") {
                GateStatus::NeedsNote
            } else {
                GateStatus::Fail
            }
        }
        Gate::Stability => {
            let beyond = |limit: f64| {
                named("psi.").iter().any(|(name, psi)| {
                    *psi >= limit && *psi > get(&format!("no_shift_bound.{name}"))
                })
            };
            match (beyond(get("fail_from")), beyond(get("warn_from"))) {
                (true, _) => GateStatus::Fail,
                (false, true) => GateStatus::Warn,
                (false, false) => GateStatus::Pass,
            }
        }
        Gate::Impact if get("psi") > get("noted_above") => GateStatus::NeedsNote,
        Gate::Impact => GateStatus::Pass,
        Gate::Weights => {
            let wrong = named("declared_sign.")
                .iter()
                .any(|(name, sign)| get(&format!("challenger_share.{name}")) * sign < 0.0);
            let shares = named("champion_share.");
            let jumped = shares.iter().any(|(name, was)| {
                (get(&format!("challenger_share.{name}")) - was).abs() > get("allowed_move") + 1e-9
            });
            let zeroed = shares
                .iter()
                .any(|(name, was)| *was != 0.0 && get(&format!("challenger_share.{name}")) == 0.0);
            match (wrong || jumped, zeroed) {
                (true, _) => GateStatus::Fail,
                (false, true) => GateStatus::NeedsNote,
                (false, false) => GateStatus::Pass,
            }
        }
        Gate::Calibration => {
            let ratio = get("observed") / get("expected");
            passes(
                ratio >= get("allowed_ratio_from")
                    && ratio <= get("allowed_ratio_to")
                    && get("brier") <= get("champion_brier") + get("allowed_brier_above_champion"),
            )
        }
        Gate::RankOrder => {
            // Best band first, as the bands are listed.
            let rates: Vec<f64> = named("parties.")
                .iter()
                .map(|(band, parties)| get(&format!("bads.{band}")) / parties)
                .collect();
            match rates.len() {
                1 => GateStatus::Warn,
                _ => passes(rates.windows(2).all(|pair| pair[0] <= pair[1])),
            }
        }
    }
}

fn agree(population: &Population) {
    for result in &population.report().gates {
        if result.status != GateStatus::NotEvaluated {
            assert_eq!(by_hand(result), result.status, "{result:?}");
        }
    }
}

#[test]
fn verdicts_follow_from_their_numbers() {
    agree(&Population::new());
    agree(&Population::scaled(
        WantedScaling::Pdo(PdoAnchor::default()),
    ));

    let mut by_chance = Population::new();
    for (row, raw) in by_chance.challenger_raw.iter_mut().enumerate() {
        *raw = 300.0 + (row * 7919 % 600) as f64;
    }
    agree(&by_chance);

    let mut shifted = Population::new();
    for row in shifted.holdout.chunks_exact_mut(FACTORS) {
        row[2] *= 0.3;
    }
    shifted.train_observed[..3500].fill(false);
    shifted.holdout_observed[40..].fill(false);
    agree(&shifted);

    let mut turned = Population::new();
    turned.challenger = reweighted(&[("contact_completeness", -1.0), ("network_size", 0.0)]);
    agree(&turned);
}

#[test]
fn one_band_for_everybody_warns_that_there_is_no_order() {
    let mut population = Population::new();
    population.challenger_raw.fill(650.0);
    let report = population.report();
    let result = report.result(Gate::RankOrder).unwrap();
    assert_eq!(result.status, GateStatus::Warn);
    assert!(result.message.contains("band fair"), "{}", result.message);
}

#[test]
fn rows_set_aside_are_told() {
    let mut population = Population::new();
    population.holdout_observed[1000..].fill(false);
    let report = population.report();
    let result = report.result(Gate::Provenance).unwrap();
    assert_eq!(result.get("set_aside_rows"), Some(500.0));
    assert!(result.message.contains("500 rows"), "{}", result.message);
}

#[test]
fn negative_training_weights_are_refused() {
    let population = Population::new();
    let mut weights = vec![1.0; 6000];
    weights[7] = -0.5;
    let input = GateInput {
        train_weights: Some(&weights),
        ..population.input()
    };
    assert_eq!(
        evaluate(&input).unwrap_err(),
        GateError::NegativeWeight { row: 7 }
    );
}

#[test]
fn cutoff_table_runs_from_everybody_to_the_best_and_adds_up() {
    let population = Population::new();
    let impact = population.report().impact;
    let bads = population.holdout_bad.iter().filter(|bad| **bad).count();
    assert_eq!(impact.bads, Some(bads));
    for rows in [&impact.champion_cutoffs, &impact.challenger_cutoffs] {
        assert_eq!(rows.len(), 31);
        assert_eq!((rows[0].cutoff, rows[30].cutoff), (300, 900));
        assert_eq!(rows[0].accepted.parties, 1500);
        assert_eq!(rows[0].bads_caught, Some(0.0));
        assert_eq!(rows[0].rejected.bad_rate, None);
        for row in rows {
            assert_eq!(row.accepted.parties + row.rejected.parties, 1500);
            let (accepted, rejected) = (row.accepted.bads.unwrap(), row.rejected.bads.unwrap());
            assert_eq!(accepted + rejected, bads);
            assert_eq!(row.bads_caught, Some(rejected as f64 / bads as f64));
            assert_eq!(row.accepted_share, row.accepted.parties as f64 / 1500.0);
            assert_eq!(row.own, row.cutoff == 600);
        }
        assert!(
            rows.windows(2)
                .all(|pair| pair[0].accepted.parties >= pair[1].accepted.parties)
        );
    }
}

#[test]
fn own_cutoff_between_two_lines_has_a_line_of_its_own() {
    let mut population = Population::new();
    let mut content = population.challenger.content().clone();
    content.cutoff = 605;
    population.challenger =
        crate::card::Scorecard::new("d", content, crate::card::Provenance::default()).unwrap();
    let impact = population.report().impact;
    let own: Vec<i32> = impact
        .challenger_cutoffs
        .iter()
        .filter(|row| row.own)
        .map(|row| row.cutoff)
        .collect();
    assert_eq!((own, impact.challenger_cutoffs.len()), (vec![605], 32));
    let swap = impact.swap;
    assert_eq!((swap.champion_cutoff, swap.challenger_cutoff), (600, 605));
    let (at, before) = (&impact.challenger_cutoffs, &impact.champion_cutoffs);
    let accepted = |rows: &[CutoffRow]| rows.iter().find(|row| row.own).unwrap().accepted;
    let after = accepted(at);
    assert_eq!(
        after.parties,
        swap.both_accepted.parties + swap.swapped_in.parties
    );
    assert_eq!(
        accepted(before).parties,
        swap.both_accepted.parties + swap.swapped_out.parties
    );
}

#[test]
fn migration_sums_to_the_bands_of_either_card() {
    let impact = Population::new().report().impact;
    for (cells, of) in [
        (
            &impact.migration,
            (|group| group.parties) as fn(&Group) -> usize,
        ),
        (&impact.migration_bads, |group| group.bads.unwrap()),
    ] {
        for (i, group) in impact.champion_by_band.iter().enumerate() {
            assert_eq!(cells[i].iter().sum::<usize>(), of(group));
        }
        for (j, group) in impact.challenger_by_band.iter().enumerate() {
            assert_eq!(cells.iter().map(|row| row[j]).sum::<usize>(), of(group));
        }
    }
}

#[test]
fn change_of_scale_is_told_and_scores_beyond_the_bands_count_at_their_end() {
    let report = Population::scaled(WantedScaling::Pdo(PdoAnchor {
        pdo: 200.0,
        odds: 3.0,
        base: 600,
    }))
    .report();
    assert!(report.impact.rescaled);
    let message = &report.result(Gate::Impact).unwrap().message;
    assert!(message.contains("different scales"), "{message}");
    assert_eq!(report.impact.challenger_cutoffs[0].accepted.parties, 1500);
    assert!(!Population::new().report().impact.rescaled);
}

#[test]
fn impact_of_an_older_report_is_read_without_its_tables() {
    let older = r#"{"parties":4,"psi":0.1,"champion_bands":["a"],"challenger_bands":["a"],"migration":[[4]],"swapped_in":1,"swapped_out":0}"#;
    let impact: Impact = serde_json::from_str(older).unwrap();
    assert_eq!((impact.parties, impact.bads), (4, None));
    assert!(impact.champion_cutoffs.is_empty());
}
