//! One batch in three spellings.

use std::{collections::BTreeMap, fs};

use kycc_synthetic::{Format, Spec, write};
use serde_json::Value;

use crate::{Row, TABLES, bytes_of, files, generate};

#[test]
fn the_three_formats_hold_the_same_records() {
    let document = generate(Spec::new("BATCH_001", 150, 10));
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("lines");
    let csv = folder.path().join("csv");
    let ndjson = write(
        &Spec {
            format: Format::Ndjson,
            ..document.spec.clone()
        },
        &lines,
    )
    .unwrap();
    write(
        &Spec {
            format: Format::Csv,
            ..document.spec.clone()
        },
        &csv,
    )
    .unwrap();

    assert_eq!(ndjson.source, lines.join("BATCH_001"));
    assert_eq!(ndjson.labels, lines.join("BATCH_001_labels.json"));
    let (lines, csv) = (files(&lines), files(&csv));
    let source_bytes: usize = lines
        .iter()
        .filter(|(name, _)| name.contains('/'))
        .map(|(_, bytes)| bytes.len())
        .sum();
    assert_eq!(ndjson.bytes, source_bytes as u64);
    for found in [&lines, &csv] {
        assert_eq!(found.len(), 2 + TABLES.len());
        let header: Row = serde_json::from_slice(&found["BATCH_001/BATCH_001_batch.json"]).unwrap();
        assert_eq!(header.len(), 2);
        assert!(
            header
                .iter()
                .all(|(field, value)| document.document[field] == *value)
        );
        assert_eq!(
            found["BATCH_001_labels.json"],
            fs::read(&document.written.labels).unwrap()
        );
    }
    for table in TABLES {
        let expected = document.table(table);
        let rows = String::from_utf8(lines[&format!("BATCH_001/BATCH_001_{table}.ndjson")].clone())
            .unwrap();
        let rows: Vec<Row> = rows
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(rows.iter().collect::<Vec<_>>(), expected, "{table}");
        let records = csv_records(&csv[&format!("BATCH_001/BATCH_001_{table}.csv")]);
        assert_eq!(
            records,
            expected.iter().map(|row| spelled(row)).collect::<Vec<_>>(),
            "{table}"
        );
    }
}

/// A row with every value as the text it has in CSV.
fn spelled(row: &Row) -> BTreeMap<String, String> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| number(&value.to_string()), str::to_owned)
    };
    row.iter()
        .map(|(field, value)| (field.clone(), text(value)))
        .collect()
}

/// 1.50 and 1.5 are one number.
fn number(text: &str) -> String {
    text.parse::<f64>().unwrap().to_string()
}

fn csv_records(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let text = std::str::from_utf8(bytes).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let numeric = ["amount", "balance", "kyc_verified", "days_past_due"];
    let record = |line: &str| {
        let fields = csv_fields(line);
        assert_eq!(fields.len(), columns.len(), "{line}");
        let pairs = columns
            .iter()
            .zip(fields)
            .filter(|(_, field)| !field.is_empty());
        pairs
            .map(|(column, field)| {
                (
                    column.to_string(),
                    if numeric.contains(column) {
                        number(&field)
                    } else {
                        field
                    },
                )
            })
            .collect()
    };
    lines.map(record).collect()
}

/// Fields with commas are in quotes, and no field holds a quote.
fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(letter),
        }
    }
    fields
}

#[test]
fn a_batch_is_replaced_by_the_next_of_its_name_but_never_mixed_with_another_format() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        format: Format::Ndjson,
        ..Spec::new("B", 20, 1)
    };
    write(&spec, folder.path()).unwrap();
    write(
        &Spec {
            seed: 2,
            ..spec.clone()
        },
        folder.path(),
    )
    .unwrap();
    let replaced = files(folder.path());
    assert_eq!(
        replaced,
        bytes_of(&Spec {
            seed: 2,
            ..spec.clone()
        })
    );

    let error = write(
        &Spec {
            format: Format::Csv,
            ..spec
        },
        folder.path(),
    )
    .unwrap_err();
    assert_eq!(error.reason(), "OTHER_FORMAT");
    assert!(error.to_string().contains("B_parties.ndjson"), "{error}");
    assert_eq!(files(folder.path()), replaced);
}
