//! What holds for every card: points add up to the score, and the score leads back to the model's PD.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::path::Path;

use kycc_workbench::{
    BinningOptions, Card, FitWish, Fitted, Inputs, MeasureOptions, PointScaling, Roles, Table,
    card, fit,
};

const SCALINGS: [PointScaling; 2] = [
    PointScaling::MinMax {
        base: 300.0,
        max: 900.0,
    },
    PointScaling::Pdo {
        base: 600.0,
        odds: 50.0,
        pdo: 20.0,
    },
];

fn credit() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/credit.csv");
    Table::read(&path, None).unwrap()
}

fn roles(features: &[&str], holdout: Option<&str>) -> Roles {
    Roles {
        target: "bad".into(),
        features: features.iter().map(|name| (*name).into()).collect(),
        id: Some("id".into()),
        weight: None,
        holdout: holdout.map(|rule| rule.parse().unwrap()),
    }
}

fn wish(inputs: Inputs) -> FitWish {
    FitWish {
        inputs,
        measures: MeasureOptions {
            replicates: 0,
            ..MeasureOptions::default()
        },
        ..FitWish::default()
    }
}

fn linear<'a>(table: &'a Table, holdout: Option<&str>) -> Fitted<'a> {
    let features = ["age", "income", "debt_ratio", "late_payments"];
    fit(table, &roles(&features, holdout), &wish(Inputs::Values)).unwrap()
}

fn woe(table: &Table) -> Fitted<'_> {
    let features = ["age", "income", "months_since_late", "late_payments"];
    let inputs = Inputs::Woe(BinningOptions::default());
    fit(table, &roles(&features, Some("i%5==4")), &wish(inputs)).unwrap()
}

#[test]
fn base_and_points_are_the_score_and_the_score_gives_the_models_pd() {
    let table = credit();
    for fitted in [linear(&table, Some("i%5==4")), woe(&table)] {
        for scaling in SCALINGS {
            let card = Card::of(&fitted, scaling).unwrap();
            for row in 0..table.rows() {
                let scored = card.score(&fitted, row);
                let sum = card.base_points() + scored.points.iter().sum::<f64>();
                assert!((sum - scored.raw).abs() < 1e-9);
                assert!(
                    (scored.pd - fitted.pd[row]).abs() < 1e-12,
                    "row {row}: {} is not {}",
                    scored.pd,
                    fitted.pd[row]
                );
            }
        }
    }
}

#[test]
fn min_max_scores_of_training_rows_lie_in_their_range_and_points_start_at_0() {
    let table = credit();
    let fitted = linear(&table, None);
    let made = Card::of(&fitted, SCALINGS[0]).unwrap();
    for row in 0..table.rows() {
        let scored = made.score(&fitted, row);
        assert!((300.0 - 1e-9..=900.0 + 1e-9).contains(&scored.raw));
        assert!(scored.points.iter().all(|points| *points >= -1e-9));
    }
    let Card::Linear(linear) = made else {
        panic!("values make a card of lines");
    };
    let most: f64 = linear.factors.iter().map(|f| f.max_points).sum();
    assert!((300.0 + most - 900.0).abs() < 1e-9);
}

#[test]
fn pdo_points_double_the_odds() {
    let table = credit();
    let fitted = linear(&table, None);
    let link = Card::of(&fitted, SCALINGS[1]).unwrap().link();
    let odds = |score: f64| (1.0 - link.pd(score)) / link.pd(score);
    assert!((odds(600.0) - 50.0).abs() < 1e-9);
    assert!((odds(620.0) - 100.0).abs() < 1e-9);
}

#[test]
fn scores_per_row_are_written_with_their_ids() {
    let table = credit();
    let fitted = linear(&table, Some("i%5==4"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    let report = card(&fitted, SCALINGS[0], Some(&path)).unwrap();
    let scores = Table::read(&path, None).unwrap();
    assert_eq!(scores.rows(), table.rows());
    let pd = scores.numbers("pd").unwrap();
    assert_eq!(pd.len(), fitted.pd.len());
    let raw = scores.numbers("raw").unwrap();
    let parts: Vec<&[f64]> = ["age", "income", "debt_ratio", "late_payments"]
        .iter()
        .map(|name| scores.numbers(&format!("points_{name}")).unwrap())
        .collect();
    for row in 0..scores.rows() {
        let sum: f64 = parts.iter().map(|column| column[row]).sum();
        assert!((report.card.base_points() + sum - raw[row]).abs() < 1e-9);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("C000,1,train,"));
    assert!(text.lines().nth(5).unwrap().contains(",holdout,"));
    let rows: usize = report.scores.bands.iter().map(|band| band.rows).sum();
    assert_eq!(rows, table.rows());
}

#[test]
fn scores_are_never_written_over_the_file_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credit.csv");
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/credit.csv");
    let bytes = std::fs::read(original).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    let table = Table::read(&path, None).unwrap();
    let fitted = linear(&table, None);
    let error = card(&fitted, SCALINGS[0], Some(&path)).unwrap_err();
    assert_eq!(error.reason(), "OUT_IS_INPUT");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_card_report_holds_anything_but_finite_numbers() {
    let table = credit();
    for fitted in [linear(&table, Some("i%5==4")), woe(&table)] {
        for scaling in SCALINGS {
            let report = card(&fitted, scaling, None).unwrap();
            // JSON would hide them as null.
            let text = format!("{report:?}");
            for name in ["NaN", ": inf", ": -inf", "(inf", "(-inf"] {
                assert!(!text.contains(name), "{name}");
            }
        }
    }
}

#[test]
fn impossible_scalings_are_refused_by_their_option() {
    let table = credit();
    let fitted = linear(&table, None);
    for (scaling, option) in [
        (
            PointScaling::MinMax {
                base: 900.0,
                max: 300.0,
            },
            "--max",
        ),
        (
            PointScaling::Pdo {
                base: 600.0,
                odds: 0.0,
                pdo: 20.0,
            },
            "--odds",
        ),
        (
            PointScaling::Pdo {
                base: 600.0,
                odds: 50.0,
                pdo: -1.0,
            },
            "--pdo",
        ),
        (
            PointScaling::Pdo {
                base: f64::NAN,
                odds: 50.0,
                pdo: 20.0,
            },
            "--base",
        ),
    ] {
        let error = Card::of(&fitted, scaling).unwrap_err();
        assert_eq!(error.reason(), "BAD_OPTION");
        assert!(error.to_string().contains(option), "{error}");
    }
}

/// The table of a file with the ids of six clients, whose last row weighs nothing.
fn weighed(folder: &Path, ids: [&str; 6]) -> Table {
    let path = folder.join("weighed.csv");
    let rows = ["1,0,1", "2,1,1", "3,0,1", "4,1,2", "5,1,1", "900,0,0"];
    let rows = ids
        .iter()
        .zip(rows)
        .map(|(id, row)| format!("{id},{row}\n"));
    std::fs::write(&path, format!("id,x,bad,w\n{}", rows.collect::<String>())).unwrap();
    Table::read_with_ids(&path, None, Some("id")).unwrap()
}

#[test]
fn ids_are_written_as_they_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let ids = [
        "00123",
        "123",
        "123456789012345678",
        "123456789012345679",
        "1.50",
        "NA",
    ];
    let table = weighed(folder.path(), ids);
    assert!(
        table.numbers("id").is_ok(),
        "it is still a column of numbers"
    );
    let fitted = fit(&table, &roles(&["x"], None), &wish(Inputs::Values)).unwrap();
    let out = folder.path().join("scores.csv");
    card(&fitted, SCALINGS[0], Some(&out)).unwrap();
    let text = std::fs::read_to_string(&out).unwrap();
    let written = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next());
    assert_eq!(written.collect::<Vec<_>>(), ids);
}

#[test]
fn rows_of_weight_0_stretch_no_training_range() {
    let folder = tempfile::tempdir().unwrap();
    let table = weighed(folder.path(), ["1", "2", "3", "4", "5", "6"]);
    let roles = Roles {
        weight: Some("w".into()),
        ..roles(&["x"], None)
    };
    let fitted = fit(&table, &roles, &wish(Inputs::Values)).unwrap();
    let Card::Linear(made) = Card::of(&fitted, SCALINGS[0]).unwrap() else {
        panic!("values make a card of lines");
    };
    let factor = &made.factors[0];
    assert_eq!(
        (factor.worst.min(factor.best), factor.worst.max(factor.best)),
        (1.0, 5.0)
    );
}

#[test]
fn a_score_below_a_half_is_not_rounded_up() {
    let table = credit();
    let fitted = linear(&table, None);
    let base = PointScaling::Pdo {
        base: 0.0,
        odds: 1.0,
        pdo: 20.0,
    };
    let Card::Linear(mut made) = Card::of(&fitted, base).unwrap() else {
        panic!("values make a card of lines");
    };
    made.factors.clear();
    // Adding 0.5 to it gives 1 in floats.
    made.base_points = 0.499_999_999_999_999_94;
    let scored = Card::Linear(made).score(&fitted, 0);
    assert_eq!(scored.score, 0.0);
}
