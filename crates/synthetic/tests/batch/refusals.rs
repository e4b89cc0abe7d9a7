//! What is refused, and how clearly.

use std::fs;

use chrono::{DateTime, Utc};
use kycc_synthetic::{Format, Spec, SyntheticError, write};

use crate::files;

#[test]
fn a_batch_id_that_cannot_name_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for id in [
        "",
        "../B",
        "a/b",
        "a\\b",
        "..",
        ".hidden",
        "a b",
        "a\"b",
        "a\0b",
        "ä",
        &"x".repeat(129),
    ] {
        let error = write(&Spec::new(id, 5, 1), folder.path()).unwrap_err();
        assert!(
            matches!(&error, SyntheticError::BatchId { batch_id } if batch_id == id),
            "{error}"
        );
        assert!(
            error.to_string().contains("use 1 to 128 letters"),
            "{error}"
        );
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn wishes_out_of_range_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let base = || Spec::new("B", 5, 1);
    let early: DateTime<Utc> = "1969-12-31T00:00:00Z".parse().unwrap();
    let cases = [
        (Spec::new("B", 0, 1), "PARTIES", "0 parties"),
        (
            Spec::new("B", u64::MAX, 1),
            "PARTIES",
            "18446744073709551615 parties",
        ),
        (
            Spec {
                transactions_per_party: f64::NAN,
                ..base()
            },
            "MEAN",
            "transactions_per_party is NaN",
        ),
        (
            Spec {
                edges_per_party: -1.0,
                ..base()
            },
            "MEAN",
            "edges_per_party is -1",
        ),
        (
            Spec {
                edges_per_party: f64::INFINITY,
                ..base()
            },
            "MEAN",
            "edges_per_party is inf",
        ),
        (
            Spec {
                generated_at: early,
                ..base()
            },
            "GENERATED_AT",
            "1969-12-31",
        ),
    ];
    for (spec, reason, words) in cases {
        let error = write(&spec, folder.path()).unwrap_err();
        assert_eq!(error.reason(), reason);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    for format in [Format::Document, Format::Ndjson, Format::Csv] {
        let spec = Spec {
            format,
            ..Spec::new("B", 5, 1)
        };
        let error = write(&spec, &file.join("below")).unwrap_err();
        assert_eq!(error.reason(), "CREATE_FOLDER");
        assert!(error.to_string().contains("below"), "{error}");
    }
}

#[test]
fn a_file_that_cannot_get_its_name_leaves_no_partial_ones() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("B_profiles.json/occupied")).unwrap();
    let error = write(&Spec::new("B", 5, 1), folder.path()).unwrap_err();
    assert_eq!(error.reason(), "PUBLISH");
    assert!(error.to_string().contains("B_profiles.json"), "{error}");
    assert!(
        files(folder.path())
            .keys()
            .all(|name| !name.contains("partial"))
    );
}
