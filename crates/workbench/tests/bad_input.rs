//! Every mistake that can be typed or lie in a file is told with its place and what to do.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by stopping"
)]

use std::path::Path;

use kycc_workbench::{
    BinningOptions, Cuts, FitWish, Impute, Inputs, MeasureOptions, Penalty, Roles, Signs, Table,
    WorkbenchError, bin, compare_scores, fit, measure_scores,
};

fn table(text: &str) -> Table {
    Table::from_csv(text.as_bytes(), "data.csv", None).unwrap()
}

/// Thirty rows of an age and a debt that overlap between good and bad; `more` adds a cell to each.
fn thirty(header: &str, more: impl Fn(usize) -> String) -> Table {
    let rows: Vec<String> = (0..30)
        .map(|i| {
            format!(
                "{},{},{}{}",
                20 + i * 7 % 30,
                i * 11 % 13,
                u8::from(i % 3 == 0),
                more(i)
            )
        })
        .collect();
    table(&format!("age,debt,bad{header}\n{}\n", rows.join("\n")))
}

fn roles() -> Roles {
    Roles {
        target: "bad".into(),
        features: Vec::new(),
        id: None,
        weight: None,
        holdout: None,
    }
}

fn quick() -> FitWish {
    FitWish {
        measures: MeasureOptions {
            replicates: 0,
            ..MeasureOptions::default()
        },
        ..FitWish::default()
    }
}

/// The refusal of a fit: its reason and its text.
#[track_caller]
fn refused(table: &Table, roles: &Roles, wish: &FitWish, reason: &str) -> String {
    let error: WorkbenchError = fit(table, roles, wish).unwrap_err();
    assert_eq!(error.reason(), reason, "{error}");
    error.to_string()
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn a_file_that_is_not_there_a_folder_and_packed_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Table::read(&path, None).unwrap_err()
    };
    let none = Table::read(Path::new("/nowhere/data.csv"), None).unwrap_err();
    assert_eq!(none.reason(), "FILE_UNREADABLE");
    holds(&none.to_string(), &["/nowhere/data.csv"]);
    let inside = Table::read(folder.path(), None).unwrap_err();
    holds(&inside.to_string(), &["folder"]);
    assert_eq!(at("empty.csv", b"").reason(), "NO_ROWS");
    assert_eq!(at("header.csv", b"a,b\n").reason(), "NO_ROWS");
    holds(
        &at("x.csv.gz", &[0x1f, 0x8b, 8, 0]).to_string(),
        &["unpack"],
    );
    holds(
        &at("x.xlsx", b"PK\x03\x04more").to_string(),
        &["spreadsheet"],
    );
    holds(&at("x.csv", &[0xff, 0xfe, b'a', 0]).to_string(), &["UTF-8"]);
}

#[test]
fn a_column_that_is_not_there_is_answered_with_those_that_are() {
    let table = thirty("", |_| String::new());
    let target = Roles {
        target: "default".into(),
        ..roles()
    };
    let error = refused(&table, &target, &quick(), "NO_COLUMN");
    holds(&error, &["\"default\"", "age, debt, bad"]);
    for wrong in [
        Roles {
            features: vec!["agee".into()],
            ..roles()
        },
        Roles {
            id: Some("id".into()),
            ..roles()
        },
        Roles {
            weight: Some("w".into()),
            ..roles()
        },
        Roles {
            holdout: Some("fold".parse().unwrap()),
            ..roles()
        },
    ] {
        refused(&table, &wrong, &quick(), "NO_COLUMN");
    }
}

#[test]
fn a_target_of_other_values_lists_what_it_found() {
    let numbers = table("x,bad\n1,1\n2,2\n3,1\n");
    let error = refused(&numbers, &roles(), &quick(), "TARGET_NOT_BINARY");
    holds(&error, &["1 (2 rows)", "2 (1 rows)", "good and bad"]);
    let words = table("x,bad\n1,yes\n2,no\n3,\n");
    let error = refused(&words, &roles(), &quick(), "TARGET_NOT_BINARY");
    holds(&error, &["\"yes\" (1 rows)", "nothing (1 rows)"]);
    let gaps = table("x,bad\n1,1\n2,0\n3,\n");
    let error = refused(&gaps, &roles(), &quick(), "MISSING_VALUES");
    holds(&error, &["\"bad\"", "1 missing", "line 4"]);
}

#[test]
fn a_target_in_words_or_booleans_is_read() {
    let words = "x,bad\n1,Good\n2,bad\n3,GOOD\n5,bad\n1,bad\n";
    let flags = "x,bad\n1,false\n2,TRUE\n3,false\n5,true\n1,true\n";
    for text in [words, flags] {
        let read = table(text);
        let fitted = fit(&read, &roles(), &quick()).unwrap();
        assert_eq!(fitted.report.train.bads, 3);
    }
}

#[test]
fn one_class_is_refused_and_the_part_named() {
    let all_good = table("x,bad\n1,0\n2,0\n");
    let error = refused(&all_good, &roles(), &quick(), "SINGLE_CLASS");
    holds(&error, &["training", "2 good and 0 bad"]);
    let held = thirty("", |_| String::new());
    let thirds = Roles {
        holdout: Some("i%3==1".parse().unwrap()),
        ..roles()
    };
    let error = refused(&held, &thirds, &quick(), "SINGLE_CLASS");
    holds(&error, &["holdout", "10 good and 0 bad"]);
}

#[test]
fn missing_features_are_refused_with_their_number_unless_filled_or_binned() {
    let table = thirty(",late", |i| {
        if i % 5 == 1 {
            ",NA".into()
        } else {
            format!(",{}", i % 4)
        }
    });
    let error = refused(&table, &roles(), &quick(), "MISSING_VALUES");
    holds(
        &error,
        &["\"late\"", "6 missing", "line 3", "--woe", "--impute"],
    );
    for inputs in [
        Inputs::Imputed(Impute::Mean),
        Inputs::Imputed(Impute::Median),
        Inputs::Woe(BinningOptions::default()),
    ] {
        let wish = FitWish {
            inputs: inputs.clone(),
            ..quick()
        };
        let fitted = fit(&table, &roles(), &wish).unwrap();
        assert!(fitted.pd.iter().all(|pd| pd.is_finite()), "{inputs:?}");
        let filled = matches!(inputs, Inputs::Imputed(_));
        let told = fitted
            .report
            .notices
            .iter()
            .any(|n| n.contains("missing values of late"));
        assert_eq!(told, filled);
    }
}

#[test]
fn a_feature_without_any_value_cannot_be_filled() {
    let table = thirty(",late", |_| ",".into());
    let wish = FitWish {
        inputs: Inputs::Imputed(Impute::Median),
        ..quick()
    };
    let error = refused(&table, &roles(), &wish, "NO_VALUES");
    holds(&error, &["\"late\"", "training rows"]);
}

#[test]
fn text_is_left_out_by_default_and_refused_when_asked_for() {
    let table = thirty(",region", |i| {
        if i == 4 { ",3".into() } else { ",north".into() }
    });
    let fitted = fit(&table, &roles(), &quick()).unwrap();
    assert_eq!(fitted.sample.features, ["age", "debt"]);
    assert!(fitted.report.notices.iter().any(|n| n.contains("region")));
    let asked = Roles {
        features: vec!["age".into(), "region".into()],
        ..roles()
    };
    let error = refused(&table, &asked, &quick(), "NOT_A_NUMBER");
    holds(&error, &["data.csv", "line 2", "\"region\"", "\"north\""]);
}

/// The notices of a fit.
#[track_caller]
fn told(table: &Table) -> String {
    fit(table, &roles(), &quick())
        .unwrap()
        .report
        .notices
        .join("\n")
}

#[test]
fn a_column_of_numbers_that_a_cell_spoils_is_told_with_the_cell() {
    for odd in ["inf", "1e400", "0x10"] {
        let table = thirty(",income", |i| match i {
            7 | 9 => format!(",{odd}"),
            _ => format!(",{}", i * 3 % 17),
        });
        let notice = format!("2 of its 30 values are none, the first {odd:?} in line 9");
        holds(&told(&table), &["left out", "income would be", &notice]);
    }
    let thousands = thirty(",income", |i| match i {
        4 => ",\"1,234\"".into(),
        _ => format!(",{}", i * 3 % 17),
    });
    holds(
        &told(&thousands),
        &[
            "1 of its 30 values",
            "\"1,234\" in line 6",
            "decimal points",
        ],
    );
}

#[test]
fn decimal_commas_are_told_with_what_to_do() {
    let rows: Vec<String> = (0..30)
        .map(|i| format!("{};0,{};{}", i * 11 % 13, i * 7 % 10, u8::from(i % 3 == 0)))
        .collect();
    let table = table(&format!("debt;share;bad\n{}\n", rows.join("\n")));
    holds(
        &told(&table),
        &[
            "decimal commas are not read",
            "30 of its 30",
            "\"0,0\" in line 2",
        ],
    );
}

#[test]
fn a_column_of_words_with_a_few_numbers_is_only_left_out() {
    let table = thirty(
        ",region",
        |i| if i < 9 { ",3".into() } else { ",north".into() },
    );
    assert!(!told(&table).contains("would be"));
}

#[test]
fn names_are_escaped_and_long_lists_cut() {
    let table = thirty(",\u{1b}[31mred", |_| ",north".into());
    let notices = told(&table);
    assert!(notices.contains("\\u001b[31mred") && !notices.contains('\u{1b}'));
    let wide: Vec<String> = (0..40).map(|i| format!("f{i}")).collect();
    let row = vec!["1"; 40].join(",");
    let wide = self::table(&format!("{}\n{row}\n", wide.join(",")));
    let error = wide.column("bad").unwrap_err().to_string();
    holds(&error, &["f0, f1,", "f9 and 30 more"]);
}

#[test]
fn under_a_penalty_separation_and_collinearity_are_told() {
    let separated = table("x,bad\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n");
    holds(
        &told(&separated),
        &["every good training row from every bad"],
    );
    let twice = thirty(",twice", |i| format!(",{}", 2 * (20 + i * 7 % 30)));
    holds(&told(&twice), &["collinear: age, twice"]);
    let plain = told(&thirty("", |_| String::new()));
    assert!(
        !plain.contains("collinear") && !plain.contains("every bad"),
        "{plain}"
    );
}

#[test]
fn values_too_small_to_square_are_not_called_constant() {
    let table = thirty(",tiny", |i| format!(",{}e-200", i % 7));
    let notices = told(&table);
    holds(
        &notices,
        &["tiny vary too little to compute with", "in another unit"],
    );
    assert!(!notices.contains("constant"));
}

#[test]
fn more_replicates_than_the_most_are_refused() {
    let mut wish = quick();
    wish.measures.replicates = 1_000_000_000;
    let table = thirty("", |_| String::new());
    let error = refused(&table, &roles(), &wish, "BAD_OPTION");
    holds(&error, &["--bootstrap", "100000", "1000000000"]);
}

#[test]
fn features_that_play_another_part_or_come_twice_are_refused() {
    let table = thirty("", |_| String::new());
    for features in [vec!["bad"], vec!["age", "age"]] {
        let features = features.into_iter().map(String::from).collect();
        let asked = Roles {
            features,
            ..roles()
        };
        refused(&table, &asked, &quick(), "BAD_FEATURES");
    }
    let only_target = self::table("bad,region\n1,a\n0,b\n");
    let error = refused(&only_target, &roles(), &quick(), "BAD_FEATURES");
    holds(&error, &["no column of numbers"]);
}

#[test]
fn negative_and_missing_weights_are_refused_with_their_place() {
    let weighted = Roles {
        weight: Some("w".into()),
        ..roles()
    };
    let negative = thirty(",w", |i| if i == 3 { ",-1".into() } else { ",1".into() });
    let error = refused(&negative, &weighted, &quick(), "BAD_WEIGHT");
    holds(&error, &["line 5", "-1"]);
    let missing = thirty(",w", |i| if i == 3 { ",".into() } else { ",1".into() });
    refused(&missing, &weighted, &quick(), "MISSING_VALUES");
    let no_bad = thirty(",w", |i| format!(",{}", u8::from(i % 3 != 0)));
    let error = fit(&no_bad, &weighted, &quick()).unwrap_err();
    assert_eq!(error.reason(), "SINGLE_CLASS", "{error}");
}

#[test]
fn a_holdout_of_no_rows_or_all_and_one_of_other_values_is_refused() {
    let with = |rule: &str| Roles {
        holdout: Some(rule.parse().unwrap()),
        ..roles()
    };
    let table = thirty(",test", |_| ",0".into());
    let error = refused(&table, &with("test"), &quick(), "BAD_HOLDOUT");
    holds(&error, &["0 of 30 rows"]);
    refused(&table, &with("i%500==499"), &quick(), "BAD_HOLDOUT");
    let folds = thirty(",fold", |i| format!(",{}", i % 5));
    let error = refused(&folds, &with("fold"), &quick(), "BAD_HOLDOUT");
    holds(&error, &["\"fold\"", "4 (6 rows)"]);
}

#[test]
fn signs_of_unknown_features_and_positive_weights_of_evidence_are_refused() {
    let table = thirty("", |_| String::new());
    let wish = FitWish {
        signs: "income:+".parse().unwrap(),
        ..quick()
    };
    let error = refused(&table, &roles(), &wish, "BAD_SIGN");
    holds(&error, &["\"income\"", "age, debt"]);
    let wish = FitWish {
        signs: Signs::NonNegative,
        inputs: Inputs::Woe(BinningOptions::default()),
        ..quick()
    };
    let error = refused(&table, &roles(), &wish, "BAD_SIGN");
    holds(&error, &["--sign '*:-'"]);
}

#[test]
fn without_a_penalty_collinear_features_are_named_and_separated_classes_refused() {
    let plain = FitWish {
        penalty: Penalty::None,
        ..quick()
    };
    let table = thirty(",twice", |i| format!(",{}", 2 * (20 + i * 7 % 30)));
    let error = refused(&table, &roles(), &plain, "FIT_COLLINEAR");
    holds(&error, &["age, twice", "--penalty l2"]);
    let separated = self::table("x,bad\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n");
    let error = fit(&separated, &roles(), &plain).unwrap_err();
    assert_eq!(error.reason(), "FIT_SEPARABLE");
    assert!(
        fit(&separated, &roles(), &quick()).is_ok(),
        "the ridge has an answer"
    );
}

#[test]
fn values_too_large_to_square_are_refused_by_name() {
    let table = thirty(",huge", |i| format!(",{}e300", i % 7));
    let error = refused(&table, &roles(), &quick(), "FIT_OVERFLOW");
    holds(&error, &["\"huge\""]);
}

#[test]
fn a_constant_feature_gets_0_and_a_notice() {
    let table = thirty(",one", |_| ",1".into());
    let fitted = fit(&table, &roles(), &quick()).unwrap();
    assert_eq!(fitted.report.coefficients[2].coefficient, 0.0);
    assert!(
        fitted
            .report
            .notices
            .iter()
            .any(|n| n.starts_with("one is constant"))
    );
}

#[test]
fn c_of_zero_or_below_is_refused() {
    let table = thirty("", |_| String::new());
    for c in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let wish = FitWish { c, ..quick() };
        refused(&table, &roles(), &wish, "FIT_BAD_C");
    }
}

#[test]
fn scores_with_gaps_and_unsorted_cuts_are_refused() {
    let gaps = table("p,q,bad\n0.1,1,0\n,2,1\n0.3,3,0\n");
    let options = MeasureOptions::default();
    let error = measure_scores(&gaps, "bad", "p", false, &options).unwrap_err();
    assert_eq!(error.reason(), "MISSING_VALUES");
    let error = compare_scores(&gaps, "bad", "q", "p", false).unwrap_err();
    assert_eq!(error.reason(), "MISSING_VALUES");
    let error = compare_scores(&gaps, "bad", "q", "q", false).unwrap_err();
    assert_eq!(error.reason(), "TOO_FEW_FOR_VARIANCE", "one bad row");
    let error = bin(&gaps, "bad", "q", None, &Cuts::At(vec![2.0, 1.0])).unwrap_err();
    assert_eq!(error.reason(), "BAD_CUTS");
}

#[test]
fn a_score_that_ranks_backwards_is_told_and_can_be_turned() {
    let points = table("points,bad\n700,0\n650,0\n500,1\n600,0\n400,1\n620,1\n");
    let options = MeasureOptions {
        replicates: 0,
        ..MeasureOptions::default()
    };
    let as_is = measure_scores(&points, "bad", "points", false, &options).unwrap();
    assert!(
        as_is
            .notices
            .iter()
            .any(|n| n.contains("--higher-is-better"))
    );
    let turned = measure_scores(&points, "bad", "points", true, &options).unwrap();
    assert_eq!(turned.metrics.auc.value, 1.0 - as_is.metrics.auc.value);
    assert!(
        !turned
            .notices
            .iter()
            .any(|n| n.contains("--higher-is-better"))
    );
}
