//! The page of a fit stands alone: no script, nothing loaded from elsewhere, everything in it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::path::Path;

use kycc_workbench::{
    BinningOptions, FitWish, Inputs, MeasureOptions, PointScaling, Roles, Table, card, fit, page,
};

fn made(table: &Table, inputs: Inputs, holdout: Option<&str>) -> String {
    let features = ["age", "income", "debt_ratio", "late_payments"];
    let roles = Roles {
        target: "bad".into(),
        features: features.map(String::from).to_vec(),
        id: None,
        weight: None,
        holdout: holdout.map(|rule| rule.parse().unwrap()),
    };
    let wish = FitWish {
        inputs,
        measures: MeasureOptions {
            replicates: 20,
            ..MeasureOptions::default()
        },
        ..FitWish::default()
    };
    let fitted = fit(table, &roles, &wish).unwrap();
    let scaling = PointScaling::MinMax {
        base: 300.0,
        max: 900.0,
    };
    let card = card(&fitted, scaling, None).unwrap();
    page(&fitted, &card, &BinningOptions::default()).unwrap()
}

fn credit() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/credit.csv");
    Table::read(&path, None).unwrap()
}

#[test]
fn it_loads_nothing_and_runs_nothing() {
    for inputs in [Inputs::Values, Inputs::Woe(BinningOptions::default())] {
        let page = made(&credit(), inputs, Some("i%5==4"));
        for forbidden in [
            "<script", "http://", "https://", "src=", "href=", "url(", "@import", "NaN",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn it_holds_curves_metrics_coefficients_and_bins_of_every_feature() {
    let page = made(&credit(), Inputs::Values, Some("i%5==4"));
    for wanted in [
        "ROC",
        "Kolmogorov",
        "Calibration",
        "Lift",
        "holdout",
        "AUC",
        "standard error",
        "VIF",
        "late_payments",
        "Information value",
        "points per unit",
        "bad, of those called bad (precision)",
        "called bad, of the bad (recall)",
        "@media print",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    assert_eq!(page.matches("role=\"img\"").count(), 4);
    let without = made(&credit(), Inputs::Values, None);
    assert!(!without.contains("holdout"));
}

#[test]
fn names_from_the_file_are_text_and_never_markup() {
    let rows: Vec<String> = (0..60)
        .map(|i| format!("{},{}", i % 7, u8::from(i % 3 == 0)))
        .collect();
    let text = format!("<b>x</b>,bad\n{}\n", rows.join("\n"));
    let table = Table::from_csv(text.as_bytes(), "<i>.csv", None).unwrap();
    let roles = Roles {
        target: "bad".into(),
        features: Vec::new(),
        id: None,
        weight: None,
        holdout: None,
    };
    let fitted = fit(&table, &roles, &FitWish::default()).unwrap();
    let scaling = PointScaling::MinMax {
        base: 0.0,
        max: 100.0,
    };
    let card = card(&fitted, scaling, None).unwrap();
    let page = page(&fitted, &card, &BinningOptions::default()).unwrap();
    assert!(page.contains("&lt;b&gt;x&lt;/b&gt;") && !page.contains("<b>x"));
    assert!(!page.contains("<i>.csv"));
}
