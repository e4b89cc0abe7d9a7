//! The records conform to the batch document, refer to each other and lie in time.

use std::{
    collections::{HashMap, HashSet},
    fs,
};

use chrono::{DateTime, TimeDelta, Utc};
use kycc_synthetic::{Spec, Written};

use crate::{TABLES, generate, text, time};

#[test]
fn the_document_starts_with_its_header_and_counts_what_it_holds() {
    let batch = generate(Spec::new("BATCH_001", 500, 3));
    let bytes = fs::read(&batch.written.source).unwrap();
    assert!(bytes.starts_with(
        b"{\"batch_id\":\"BATCH_001\",\"generated_at\":\"2026-01-31T00:00:00Z\",\n\"parties\":["
    ));
    assert_eq!(batch.written.bytes, bytes.len() as u64);
    assert!(batch.written.source.ends_with("BATCH_001_profiles.json"));
    assert_eq!(batch.document.len(), 2 + TABLES.len());
    let counts = TABLES.map(|table| batch.table(table).len() as u64);
    let Written {
        parties,
        accounts,
        transactions,
        relationships,
        ..
    } = batch.written;
    assert_eq!(counts, [parties, accounts, transactions, relationships]);
    assert_eq!(parties, 500);
}

#[test]
fn rows_have_the_fields_of_their_table_and_no_outcome() {
    let batch = generate(Spec::new("B", 500, 3));
    let tables: [(&str, &[&str], &[&str]); 4] = [
        (
            "parties",
            &[
                "party_id",
                "name",
                "party_type",
                "kyc_verified",
                "created_at",
            ],
            &[
                "tax_id",
                "registration_number",
                "contact_person",
                "email",
                "phone",
                "address",
            ],
        ),
        (
            "accounts",
            &[
                "account_id",
                "party_id",
                "account_type",
                "currency",
                "balance",
            ],
            &[],
        ),
        (
            "transactions",
            &[
                "txn_id",
                "party_id",
                "account_id",
                "amount",
                "currency",
                "txn_type",
                "ts",
            ],
            &["counterparty_id", "reference", "days_past_due"],
        ),
        (
            "relationships",
            &[
                "relationship_id",
                "from_party_id",
                "to_party_id",
                "relationship_type",
            ],
            &["established_date"],
        ),
    ];
    for (table, always, sometimes) in tables {
        let rows = batch.table(table);
        for row in &rows {
            assert!(
                always.iter().all(|field| row.contains_key(*field)),
                "{table}: {row:?}"
            );
            assert!(row.keys().all(
                |field| always.contains(&field.as_str()) || sometimes.contains(&field.as_str())
            ));
            assert!(
                row.values().all(|value| !value.is_null() && value != ""),
                "{table}: {row:?}"
            );
        }
        for field in sometimes {
            let there = rows.iter().filter(|row| row.contains_key(*field)).count();
            assert!(
                there > 0 && there < rows.len(),
                "{table}.{field} is there in {there} of {}",
                rows.len()
            );
        }
    }
}

#[test]
fn ids_are_unique_and_references_lead_to_records() {
    let batch = generate(Spec::new("B", 2_000, 4));
    let ids = |table: &str, field: &str| -> HashSet<String> {
        let rows = batch.table(table);
        let ids: HashSet<String> = rows.iter().map(|row| text(row, field).to_owned()).collect();
        assert_eq!(ids.len(), rows.len(), "{table}");
        ids
    };
    let parties = ids("parties", "party_id");
    let accounts = ids("accounts", "account_id");
    ids("transactions", "txn_id");
    ids("relationships", "relationship_id");

    assert!(
        batch
            .table("accounts")
            .iter()
            .all(|row| parties.contains(text(row, "party_id")))
    );
    for row in batch.table("transactions") {
        assert!(parties.contains(text(row, "party_id")));
        assert!(accounts.contains(text(row, "account_id")));
        if let Some(other) = row.get("counterparty_id") {
            assert!(parties.contains(other.as_str().unwrap()));
            assert_ne!(other, &row["party_id"]);
        }
    }
    let mut edges = HashSet::new();
    for row in batch.table("relationships") {
        let edge = (
            text(row, "from_party_id"),
            text(row, "to_party_id"),
            text(row, "relationship_type"),
        );
        assert!(parties.contains(edge.0) && parties.contains(edge.1));
        assert_ne!(edge.0, edge.1);
        assert!(edges.insert(edge), "{edge:?} twice");
    }
}

#[test]
fn values_are_of_the_vocabulary_and_all_of_it_appears() {
    let batch = generate(Spec::new("B", 500, 5));
    let seen = |table: &str, field: &str| -> Vec<String> {
        let found: HashSet<String> = batch
            .table(table)
            .iter()
            .map(|row| text(row, field).to_owned())
            .collect();
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort();
        found
    };
    assert_eq!(
        seen("parties", "party_type"),
        [
            "business",
            "customer",
            "distributor",
            "individual",
            "manufacturer",
            "retailer",
            "supplier"
        ]
    );
    assert_eq!(
        seen("transactions", "txn_type"),
        ["credit_note", "invoice", "payment"]
    );
    assert_eq!(seen("transactions", "currency"), ["USD"]);
    assert_eq!(
        seen("relationships", "relationship_type"),
        [
            "distributes_for",
            "manufactures_for",
            "sells_to",
            "supplies_to"
        ]
    );
    for row in batch.table("transactions") {
        let amount = row["amount"].as_f64().unwrap();
        assert_eq!(amount < 0.0, row["txn_type"] == "credit_note", "{row:?}");
        assert_ne!(amount, 0.0);
        // Past 90 days a party would have defaulted before the as-of.
        assert!(
            row.get("days_past_due")
                .is_none_or(|days| days.as_u64().unwrap() <= 90),
            "{row:?}"
        );
    }
}

#[test]
fn seven_parties_are_of_the_seven_types() {
    let batch = generate(Spec::new("B", 7, 5));
    let types: HashSet<&str> = batch
        .table("parties")
        .iter()
        .map(|row| text(row, "party_type"))
        .collect();
    assert_eq!(types.len(), 7);
}

#[test]
fn nothing_happens_after_the_as_of_or_before_the_party_exists() {
    let generated_at: DateTime<Utc> = "2024-02-29T12:34:56.789Z".parse().unwrap();
    let batch = generate(Spec {
        generated_at,
        ..Spec::new("B", 1_000, 6)
    });
    assert_eq!(
        text(&batch.document, "generated_at"),
        "2024-02-29T12:34:56.789Z"
    );
    let created: HashMap<&str, DateTime<Utc>> = batch
        .table("parties")
        .iter()
        .map(|row| (text(row, "party_id"), time(row, "created_at")))
        .collect();
    assert!(created.values().all(|created| *created <= generated_at));

    let mut inside = 0;
    let transactions = batch.table("transactions");
    for row in &transactions {
        let ts = time(row, "ts");
        assert!(
            ts <= generated_at && ts >= created[text(row, "party_id")],
            "{row:?}"
        );
        inside += usize::from(ts >= generated_at - TimeDelta::days(180));
    }
    let share = inside as f64 / transactions.len() as f64;
    assert!(
        (0.6..0.9).contains(&share),
        "{share} of the transactions lie in the six months"
    );

    for row in batch
        .table("relationships")
        .iter()
        .filter(|row| row.contains_key("established_date"))
    {
        let since = time(row, "established_date");
        assert!(since <= generated_at);
        assert!(
            since >= created[text(row, "from_party_id")]
                && since >= created[text(row, "to_party_id")]
        );
    }
}

#[test]
fn means_are_those_asked_for() {
    for (transactions, edges) in [(20.0, 3.0), (4.5, 1.0), (0.0, 0.0)] {
        let spec = Spec {
            transactions_per_party: transactions,
            edges_per_party: edges,
            ..Spec::new("B", 3_000, 8)
        };
        let Written {
            transactions: drawn,
            relationships,
            ..
        } = generate(spec).written;
        let near = |count: u64, mean: f64| (count as f64 / 3_000.0 - mean).abs() <= 0.08 * mean;
        assert!(
            near(drawn, transactions),
            "{drawn} transactions for a mean of {transactions}"
        );
        assert!(
            near(relationships, edges),
            "{relationships} relationships for a mean of {edges}"
        );
    }
}

#[test]
fn a_batch_of_one_party_is_a_batch() {
    let batch = generate(Spec::new("B", 1, 1));
    assert_eq!(batch.written.parties, 1);
    assert_eq!(batch.written.relationships, 0);
    assert_eq!(batch.labels.len(), 1);
}
