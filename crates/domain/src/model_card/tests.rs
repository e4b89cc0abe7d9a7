//! One whole card as text, and each limit where its fact is given.

use super::*;
use crate::card::{PdoAnchor, Provenance, ScoringContent};
use crate::expert::expert_card;
use crate::gates::{Gate, GateInput, evaluate};
use crate::logistic::RawModel;
use crate::matrix::Matrix;
use crate::refine::{RefineInput, Refined, WantedScaling, fit_link, raw_scores, refine};
use crate::split::SplitKind;

const SNAPSHOT: &str = include_str!("snapshot.md");
const FACTORS: usize = 13;

/// A draft of the expert card with the rows that it was made and judged on.
struct Made {
    champion: Scorecard,
    draft: Refined,
    report: GateReport,
}

fn rows(count: usize, seed: u64, model: &RawModel) -> (Vec<f64>, Vec<bool>) {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let values: Vec<f64> = (0..count * FACTORS).map(|_| next()).collect();
    let bad = values
        .chunks_exact(FACTORS)
        .map(|row| next() < model.pd(row))
        .collect();
    (values, bad)
}

fn model() -> RawModel {
    let card = expert_card();
    let slopes = card
        .factors()
        .iter()
        .enumerate()
        .map(|(j, factor)| match j {
            3 => 0.3,
            12 => 0.0,
            _ => -factor.weight / (8.0 + j as f64 % 3.0),
        });
    RawModel {
        intercept: 5.5,
        slopes: slopes.collect(),
    }
}

fn made(lambda: f64, scaling: WantedScaling, observed: bool) -> Made {
    let (champion, model) = (expert_card(), model());
    let (train, train_bad) = rows(900, 3, &model);
    let (holdout, holdout_bad) = rows(600, 5, &model);
    let (train, holdout) = (
        Matrix::new(&train, FACTORS).unwrap(),
        Matrix::new(&holdout, FACTORS).unwrap(),
    );
    let input = RefineInput {
        expert: &champion,
        model: &model,
        lambda,
        scaling,
        rows: train,
        bad: &train_bad,
        weights: None,
    };
    let provenance = Provenance {
        parent: Some(champion.hash()),
        author: Some("ann".to_owned()),
        model_id: Some("m-20260401".to_owned()),
    };
    let draft = refine(&input, "1.0-draft", provenance).unwrap();
    let champion_raw = raw_scores(&champion, train);
    let report = evaluate(&GateInput {
        champion: &champion,
        champion_link: fit_link(&champion_raw, 300, &train_bad, None).ok(),
        challenger: &draft.card,
        train,
        train_raw: &draft.train_raw,
        train_observed: &[observed; 900],
        train_weights: None,
        holdout,
        holdout_bad: &holdout_bad,
        holdout_observed: &[observed; 600],
        holdout_champion_raw: &raw_scores(&champion, holdout),
        holdout_challenger_raw: &raw_scores(&draft.card, holdout),
    })
    .unwrap();
    Made {
        champion,
        draft,
        report,
    }
}

fn model_facts() -> ModelFacts {
    let model = model();
    let card = expert_card();
    let coefficient = |(j, feature): (usize, &str)| Coefficient {
        feature: feature.to_owned(),
        mean: 0.5,
        sd: 0.2887,
        standardised: model.slopes[j] * 0.2887,
        standard_error: (model.slopes[j] != 0.0).then_some(0.1),
        over_range: model.slopes[j],
        vif: Some(1.0 + j as f64 / 100.0),
    };
    let names = card.factors().iter().map(|f| f.feature.as_str());
    ModelFacts {
        note: String::new(),
        intercept: -1.2,
        intercept_standard_error: Some(0.08),
        coefficients: names.enumerate().map(coefficient).collect(),
        c: 1.0,
        kappa: None,
        iterations: 6,
        converged: true,
    }
}

fn input(made: &Made) -> ModelCardInput<'_> {
    ModelCardInput {
        card: &made.draft.card,
        champion: Some(&made.champion),
        blend: Some(0.5),
        created_at: Some("2026-04-02T08:30:00Z".to_owned()),
        data: DataFacts {
            batches: vec!["2025Q3".to_owned(), "2025Q4".to_owned()],
            as_of_from: Some("2025-09-30T00:00:00Z".to_owned()),
            as_of_to: Some("2025-12-31T00:00:00Z".to_owned()),
            split: Some(SplitKind::OutOfTime {
                holdout_from_micros: 1_767_139_200_000_000,
                removed: 17,
            }),
            train: PartFacts {
                rows: 900,
                bads: 210,
                observed_share: 1.0,
            },
            holdout: PartFacts {
                rows: 600,
                bads: 77,
                observed_share: 1.0,
            },
            dataset_digest: Some("sha256:5f2c9a".to_owned()),
            code_version: Some("1".to_owned()),
        },
        labels: LabelFacts {
            policy: Some("blended, version 1".to_owned()),
            window_days: Some(180),
            data_cut: Some("2026-07-01T00:00:00Z".to_owned()),
            mix: vec![LabelCount {
                source: "observed".to_owned(),
                rows: 1500,
                bads: 287,
                weight: Some(1.0),
            }],
            unlabelled: vec![
                ("immature".to_owned(), 1204),
                ("indeterminate".to_owned(), 31),
            ],
        },
        model: Some(model_facts()),
        metrics: vec![
            Metric::new("AUC", 0.812).within(0.771, 0.853),
            Metric::new("Brier", 0.1431),
        ],
        gates: Some(&made.report),
        missing_link: None,
        drift_baseline: false,
        approvals: Vec::new(),
    }
}

fn codes(card: &ModelCard) -> Vec<&str> {
    card.limits
        .iter()
        .map(|limit| limit.code.as_str())
        .collect()
}

#[test]
fn a_card_reads_as_it_always_did() {
    let made = made(0.5, WantedScaling::MinMax, true);
    let text = ModelCard::new(&input(&made)).to_markdown();
    assert!(text == SNAPSHOT, "the card now reads:\n{text}");
}

#[test]
fn a_card_survives_json() {
    let made = made(0.5, WantedScaling::Pdo(PdoAnchor::default()), true);
    let card = ModelCard::new(&input(&made));
    let text = serde_json::to_string(&card).unwrap();
    assert_eq!(serde_json::from_str::<ModelCard>(&text).unwrap(), card);
}

#[test]
fn every_row_of_every_table_has_the_width_of_its_table() {
    for scaling in [
        WantedScaling::MinMax,
        WantedScaling::Pdo(PdoAnchor::default()),
    ] {
        let made = made(1.0, scaling, true);
        let text = ModelCard::new(&input(&made)).to_markdown();
        let lines: Vec<&str> = text.lines().collect();
        let in_table = |pair: &&[&str]| pair.iter().all(|line| line.starts_with('|'));
        for pair in lines.windows(2).filter(in_table) {
            assert_eq!(pair[0].chars().count(), pair[1].chars().count(), "{pair:?}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf ") && !text.contains("{\""));
    }
}

#[test]
fn a_bootstrap_card_says_first_that_it_must_not_be_activated() {
    let made = made(0.5, WantedScaling::MinMax, false);
    let mut input = input(&made);
    input.data.train.observed_share = 0.0;
    let card = ModelCard::new(&input);
    assert_eq!(codes(&card)[..2], ["BOOTSTRAP", "GATES_FAILED"]);
    assert!(codes(&card).contains(&"SCORECARD_LABELS"));
    let text = card.to_markdown();
    assert!(text.contains("**Failed.**"));
    assert!(text.contains("no outcome observed, so that nobody is counted as bad"));
}

#[test]
fn each_fact_that_limits_a_card_is_named() {
    let anchor = PdoAnchor {
        pdo: 40.0,
        ..PdoAnchor::default()
    };
    let made = made(1.0, WantedScaling::Pdo(anchor), true);
    let mut input = input(&made);
    input.data.split = Some(SplitKind::Stratified);
    input.data.batches.truncate(1);
    input.data.train.bads = 30;
    input.data.holdout.bads = 60;
    let model = input.model.as_mut().unwrap();
    model.kappa = Some(0.4);
    model.converged = false;
    model.coefficients[2].vif = Some(14.0);
    let card = ModelCard::new(&input);
    for code in [
        "FEW_TRAINING_BADS",
        "SMALL_HOLDOUT",
        "SAME_TIME_HOLDOUT",
        "ONE_BATCH",
        "NOT_CONVERGED",
        "SHRUNK_TO_EXPERT",
        "COLLINEAR",
        "ZERO_WEIGHT",
        "SCORES_BEYOND_BANDS",
        "NO_REFERENCE",
        "NO_DRIFT_BASELINE",
    ] {
        assert!(codes(&card).contains(&code), "{code}: {:?}", codes(&card));
    }
    // 12 coefficients other than 0 want 120 bads.
    let text = card.to_markdown();
    assert!(
        text.contains("30 bads for 12 coefficients; below 120"),
        "{text}"
    );
    assert!(text.contains("40 points double the odds; 600 are odds of 50:1"));
}

#[test]
fn the_expert_card_alone_is_a_card_without_a_model() {
    let champion = expert_card();
    let card = ModelCard::new(&ModelCardInput {
        card: &champion,
        champion: None,
        blend: None,
        created_at: None,
        data: DataFacts::default(),
        labels: LabelFacts::default(),
        model: None,
        metrics: Vec::new(),
        gates: None,
        missing_link: None,
        drift_baseline: true,
        approvals: Vec::new(),
    });
    assert_eq!(codes(&card)[0], "NOT_JUDGED");
    assert!(codes(&card).contains(&"NO_PD"));
    assert!(!codes(&card).contains(&"NO_DRIFT_BASELINE"));
    let text = card.to_markdown();
    assert!(text.contains("People chose the weights"));
    assert!(!text.contains("Champion"), "{text}");
}

#[test]
fn a_dropped_factor_keeps_its_row() {
    let champion = expert_card();
    let factors = champion.factors()[1..].to_vec();
    let card = Scorecard::new("2", ScoringContent::of(factors), Provenance::default()).unwrap();
    let rows = points(&card, Some(&champion));
    let dropped = rows.last().unwrap();
    assert_eq!((rows.len(), dropped.feature.as_str()), (13, "kyc_verified"));
    assert_eq!((dropped.method, dropped.share), (None, 0.0));
    assert!((dropped.champion_share.unwrap() - 100.0 * 15.0 / 165.0).abs() < 1e-12);
}

#[test]
fn approvals_and_their_notes_are_shown() {
    let made = made(0.5, WantedScaling::MinMax, true);
    let mut input = input(&made);
    input.approvals.push(Approval {
        by: "bob".to_owned(),
        at: "2026-04-03T10:00:00Z".to_owned(),
        reason: "catches more bads at the same acceptance".to_owned(),
        notes: vec![GateNote {
            gate: Gate::Champion,
            note: "not inferior, and explains itself better".to_owned(),
        }],
        self_approved: false,
    });
    let text = ModelCard::new(&input).to_markdown();
    assert!(text.contains("**Approved** by bob on 2026-04-03T10:00:00Z."));
    assert!(text.contains("  - CHAMPION: not inferior, and explains itself better"));
}

#[test]
fn no_text_of_a_person_makes_a_heading() {
    let made = made(0.5, WantedScaling::MinMax, true);
    let mut input = input(&made);
    let forged = "x\n## Gates".to_owned();
    input.model.as_mut().unwrap().note = forged.clone();
    input.approvals.push(Approval {
        by: forged.clone(),
        at: forged.clone(),
        reason: forged.clone(),
        notes: vec![GateNote {
            gate: Gate::Champion,
            note: forged,
        }],
        self_approved: false,
    });
    let text = ModelCard::new(&input).to_markdown();
    let headings = text.lines().filter(|line| *line == "## Gates");
    assert_eq!(headings.count(), 1, "{text}");
    // The note of the model, who approved and when (twice each), why, and the gate's note.
    assert_eq!(text.matches("x ## Gates").count(), 7, "{text}");
}
