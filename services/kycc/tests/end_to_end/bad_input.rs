//! Bad input: an error that says where, exit code 1, and nothing visible afterwards.

use crate::place::{Place, files_named};

/// A small batch as JSON text, with one place changed.
fn document(replace: &str, with: &str) -> String {
    let text = r#"{"batch_id": "BAD", "generated_at": "2026-01-31T00:00:00Z",
"parties": [
 {"party_id": "P-1", "name": "One", "party_type": "supplier", "created_at": "2020-01-01T00:00:00Z"},
 {"party_id": "P-2", "name": "Two", "party_type": "retailer", "created_at": "2020-01-01T00:00:00Z"}],
"accounts": [{"account_id": "A-1", "party_id": "P-1"}],
"transactions": [{"txn_id": "T-1", "party_id": "P-1", "amount": 12.5, "txn_type": "invoice", "ts": "2026-01-01T00:00:00Z"}],
"relationships": [{"from_party_id": "P-1", "to_party_id": "P-2", "relationship_type": "supplies_to"}]}"#;
    assert!(
        replace.is_empty() || text.contains(replace),
        "{replace} is not in the document"
    );
    if replace.is_empty() {
        text.into()
    } else {
        text.replacen(replace, with, 1)
    }
}

/// Ingests a document that must fail, and returns what was said of it.
fn refused(body: &[u8]) -> String {
    let place = Place::new();
    let file = place.path("BAD_profiles.json");
    std::fs::write(&file, body).unwrap();
    let said = place.error(
        "data",
        &[
            "job",
            "execute",
            "-j",
            "ingest_job",
            "--file",
            file.to_str().unwrap(),
        ],
    );
    assert_eq!(
        place.json("data", &["batch", "list"])["batches"]
            .as_array()
            .unwrap()
            .len(),
        0,
        "{said}"
    );
    assert!(
        files_named(&place.path("data"), "manifest.json").is_empty(),
        "{said}"
    );
    said
}

#[test]
fn a_document_that_is_cut_off_is_refused_with_the_place() {
    let whole = document("", "");
    let said = refused(&whole.as_bytes()[..whole.len() - 60]);
    assert!(
        said.contains("BAD_profiles.json") && said.contains("relationships"),
        "{said}"
    );
}

#[test]
fn records_that_are_wrong_are_named_by_index_field_and_reason() {
    for (replace, with, wanted) in [
        (
            r#""amount": 12.5"#,
            r#""amount": NaN"#,
            vec!["transactions", "amount", "NaN"],
        ),
        (
            r#""amount": 12.5"#,
            r#""amount": -Infinity"#,
            vec!["transactions", "amount", "nfinit"],
        ),
        (
            r#""amount": 12.5"#,
            r#""amount": 0.00001"#,
            vec!["transactions", "amount", "4 decimals"],
        ),
        (
            r#""amount": 12.5"#,
            r#""amount": {"value": 1}"#,
            vec!["transactions", "amount"],
        ),
        (
            r#""ts": "2026-01-01T00:00:00Z""#,
            r#""ts": "2026-13-01T00:00:00Z""#,
            vec!["transactions", "ts"],
        ),
        (
            r#""party_id": "P-1", "amount""#,
            r#""party_id": "P-9", "amount""#,
            vec!["transactions", "P-9"],
        ),
        (
            r#""from_party_id": "P-1""#,
            r#""from_party_id": "P-2""#,
            vec!["relationships"],
        ),
    ] {
        let said = refused(document(replace, with).as_bytes());
        for word in wanted.iter().chain(&["BAD_profiles.json"]) {
            assert!(said.contains(word), "{with}: no {word} in\n{said}");
        }
    }
}

#[test]
fn outcomes_among_the_profiles_are_refused_as_leakage() {
    for key in ["will_default", "default_outcome", "ground_truth"] {
        let said = refused(
            document(r#""name": "Two""#, &format!(r#""name": "Two", "{key}": 1"#)).as_bytes(),
        );
        assert!(
            said.contains(key) && said.contains("LABELS_IN_PROFILES"),
            "{said}"
        );
    }
}

#[test]
fn a_batch_without_parties_is_refused() {
    let text = r#"{"batch_id": "BAD", "generated_at": "2026-01-31T00:00:00Z", "parties": []}"#;
    let said = refused(text.as_bytes());
    assert!(said.contains("part"), "{said}");
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_record() {
    let mut body = document(r#""name": "Two""#, r#""name": "T@o""#).into_bytes();
    let at = body.iter().position(|byte| *byte == b'@').unwrap();
    body[at] = 0xff;
    let said = refused(&body);
    assert!(said.contains("parties") && said.contains("UTF-8"), "{said}");
}

#[test]
fn a_record_that_never_ends_is_refused_without_being_held_in_memory() {
    let body = document(
        r#""name": "Two""#,
        &format!(r#""name": "{}""#, "x".repeat(8 << 20)),
    );
    let said = refused(body.as_bytes());
    assert!(said.contains("parties") && said.contains("bytes"), "{said}");
}
