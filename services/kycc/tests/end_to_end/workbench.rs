//! `kycc workbench` on files of an analyst's own: no fleet, no data folder.

use crate::place::Place;

/// Two hundred loans; the older the customer and the smaller the debt, the fewer are bad.
fn loans(place: &Place) -> String {
    let rows = (0..200).map(|i| {
        let (age, debt) = (20 + i * 13 % 50, i * 29 % 97);
        let bad = u8::from((debt + i * 31 % 61) > 60 + age);
        format!("L{i},{age},{debt},{bad},{}", f64::from(debt) / 100.0)
    });
    let text: Vec<String> = std::iter::once("loan,age,debt,bad,p".into())
        .chain(rows)
        .collect();
    let path = place.path("loans.csv");
    std::fs::write(&path, text.join("\n")).unwrap();
    path.display().to_string()
}

#[test]
fn a_table_is_fitted_measured_and_carded_without_a_data_folder() {
    let place = Place::new();
    let loans = loans(&place);
    let model = [
        "--target",
        "bad",
        "--features",
        "age,debt",
        "--holdout",
        "i%5==4",
        "--bootstrap",
        "50",
    ];
    let with = |verb: &str, more: &[&str]| -> Vec<String> {
        let words = ["workbench", verb, loans.as_str()];
        let all = words.iter().chain(&model).chain(more);
        all.map(|word| (*word).to_owned()).collect()
    };
    let json = |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        place.json("data", &words)
    };
    let fitted = json(with("fit", &["--sign", "age:-"]));
    assert_eq!(fitted["coefficients"][1]["feature"], "debt");
    assert!(fitted["coefficients"][0]["coefficient"].as_f64().unwrap() <= 0.0);
    assert!(fitted["holdout"]["auc"]["value"].as_f64().unwrap() > 0.7);
    let carded = json(with(
        "card",
        &[
            "--woe",
            "--scaling",
            "pdo",
            "--pdo",
            "20",
            "--odds",
            "50",
            "--base",
            "600",
            "--out",
            "scores.csv",
        ],
    ));
    assert_eq!(carded["card"]["kind"], "woe");
    let scores = std::fs::read_to_string(place.path("scores.csv")).unwrap();
    assert_eq!(scores.lines().count(), 201);
    json(with("report", &["--out", "page.html"]));
    let page = std::fs::read_to_string(place.path("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("ROC"));
    assert!(!place.path("data").exists(), "nothing is kept");
}

#[test]
fn scores_columns_and_bins_are_answered_in_tables_and_json() {
    let place = Place::new();
    let loans = loans(&place);
    let file = loans.as_str();
    let text = place.text(
        "data",
        &[
            "workbench",
            "metrics",
            file,
            "--target",
            "bad",
            "--score",
            "p",
        ],
    );
    assert!(text.contains("AUC") && text.contains("Brier"), "{text}");
    let compared = place.json(
        "data",
        &[
            "workbench",
            "compare",
            file,
            "--target",
            "bad",
            "--a",
            "age",
            "--b",
            "debt",
        ],
    );
    assert!(compared["p_value"].as_f64().unwrap() < 0.05);
    let moved = place.json(
        "data",
        &[
            "workbench",
            "psi",
            file,
            file,
            "--column",
            "age",
            "--bins",
            "5",
        ],
    );
    assert_eq!(moved["psi"], 0.0);
    let cut = [
        "workbench",
        "bin",
        file,
        "--target",
        "bad",
        "--column",
        "debt",
        "--cuts",
        "30,60",
    ];
    let binned = place.json("data", &cut);
    assert_eq!(binned["bins"].as_array().unwrap().len(), 3);
    let text = place.text("data", &["workbench", "fit", file, "--target", "bad"]);
    assert!(
        text.contains("left out, because they are not numbers: loan"),
        "{text}"
    );
    assert!(!place.path("data").exists(), "nothing is kept");
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let place = Place::new();
    let loans = loans(&place);
    let error = place.error("data", &["workbench", "fit", &loans, "--target", "debt"]);
    assert!(
        error.contains("loans.csv") && error.contains("\"debt\" must hold"),
        "{error}"
    );
    let error = place.error(
        "data",
        &[
            "workbench",
            "fit",
            &loans,
            "--target",
            "bad",
            "--features",
            "loan",
        ],
    );
    assert!(
        error.contains("line 2") && error.contains("\"L0\""),
        "{error}"
    );
    let error = place.error(
        "data",
        &[
            "workbench",
            "card",
            &loans,
            "--target",
            "bad",
            "--pdo",
            "20",
        ],
    );
    assert!(error.contains("--scaling pdo"), "{error}");
}

#[test]
fn the_file_that_is_read_is_never_written_over() {
    let place = Place::new();
    let loans = loans(&place);
    let before = std::fs::read(&loans).unwrap();
    let dotted = place.path("sub/../loans.csv").display().to_string();
    std::fs::create_dir(place.path("sub")).unwrap();
    for verb in ["card", "report"] {
        for out in [&loans, &dotted] {
            let words = ["workbench", verb, &loans, "--target", "bad", "--out", out];
            let error = place.error("data", &words);
            assert!(error.contains("is the file that is read"), "{error}");
        }
    }
    assert_eq!(std::fs::read(&loans).unwrap(), before);
}
