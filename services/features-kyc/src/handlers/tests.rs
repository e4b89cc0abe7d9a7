//! The query on hand-made parties, and the independence of its result from threads and shards.

use super::*;
use arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use chrono::{DateTime, TimeDelta, Utc};
use kycc_testkit::TestBatch;
use std::sync::Arc;

#[derive(Clone)]
struct Party {
    kind: &'static str,
    verified: bool,
    created_at: DateTime<Utc>,
    tax_id: Option<&'static str>,
    /// Contact person, e-mail, phone, address.
    contacts: [Option<&'static str>; 4],
}

fn as_of() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn plain() -> Party {
    Party {
        kind: "supplier",
        verified: false,
        created_at: as_of(),
        tax_id: None,
        contacts: [None; 4],
    }
}

fn rows(parties: &[Party]) -> RecordBatch {
    let ids: Vec<String> = (0..parties.len()).map(|i| format!("P{i:06}")).collect();
    let text = |of: &dyn Fn(&Party) -> Option<&'static str>| -> ArrayRef {
        Arc::new(StringArray::from(
            parties.iter().map(of).collect::<Vec<_>>(),
        ))
    };
    let created = parties.iter().map(|p| p.created_at.timestamp_micros());
    let verified: Vec<bool> = parties.iter().map(|p| p.verified).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(0..parties.len() as u32)),
        Arc::new(StringArray::from(ids.clone())),
        Arc::new(StringArray::from(ids)),
        text(&|p| Some(p.kind)),
        Arc::new(BooleanArray::from(verified)),
        text(&|p| p.tax_id),
        text(&|_| None),
        text(&|p| p.contacts[0]),
        text(&|p| p.contacts[1]),
        text(&|p| p.contacts[2]),
        text(&|p| p.contacts[3]),
        Arc::new(TimestampMicrosecondArray::from_iter_values(created).with_timezone("UTC")),
    ];
    RecordBatch::try_new(PARTIES.schema(), columns).unwrap()
}

async fn features(parties: &[Party]) -> RecordBatch {
    let mut batch = TestBatch::new("B", as_of()).await;
    batch.publish(&PARTIES, &rows(parties)).await;
    let made = batch.run(&ExtractKycFeatures, "k", 1).await.unwrap();
    batch.rows(&made[0]).await
}

async fn column(parties: &[Party], feature: &str) -> Vec<f64> {
    features(parties).await[feature]
        .as_primitive::<Float64Type>()
        .values()
        .to_vec()
}

#[tokio::test]
async fn age_counts_whole_days_and_is_never_negative() {
    let created = |back: TimeDelta| Party {
        created_at: as_of() - back,
        ..plain()
    };
    let day = TimeDelta::days(1);
    let tick = TimeDelta::microseconds(1);
    let parties = [
        created(day * 1461),
        created(day),
        created(day - tick),
        created(TimeDelta::zero()),
        created(-tick),
        created(-day * 400),
    ];
    assert_eq!(
        column(&parties, "company_age_years").await,
        [4.0, 1.0 / 365.25, 0.0, 0.0, 0.0, 0.0]
    );
}

#[tokio::test]
async fn party_types_score_in_any_case_and_unknown_ones_as_others() {
    let kinds = [
        "manufacturer",
        "DISTRIBUTOR",
        "Supplier",
        "retailer",
        "customer",
        "individual",
        "business",
        "bank",
    ];
    let parties = kinds.map(|kind| Party { kind, ..plain() });
    assert_eq!(
        column(&parties, "party_type_score").await,
        [10.0, 8.0, 7.0, 6.0, 5.0, 5.0, 5.0, 5.0]
    );
}

#[tokio::test]
async fn each_filled_contact_is_a_quarter_and_blank_is_not_filled() {
    let contacts = [
        [None; 4],
        [Some("Ann"), None, None, None],
        [Some("Ann"), Some("a@b.c"), Some("  "), Some("")],
        [Some("Ann"), Some("a@b.c"), Some("1"), Some("x")],
    ];
    let parties = contacts.map(|contacts| Party {
        contacts,
        ..plain()
    });
    assert_eq!(
        column(&parties, "contact_completeness").await,
        [0.0, 25.0, 50.0, 100.0]
    );
}

#[tokio::test]
async fn flags_are_zero_or_one() {
    let parties = [
        Party {
            verified: true,
            tax_id: Some("T1"),
            ..plain()
        },
        Party {
            tax_id: Some(" "),
            ..plain()
        },
        plain(),
    ];
    assert_eq!(column(&parties, "kyc_verified").await, [1.0, 0.0, 0.0]);
    assert_eq!(column(&parties, "has_tax_id").await, [1.0, 0.0, 0.0]);
}

#[tokio::test]
async fn threads_and_shards_leave_digest_and_metadata_as_they_are() {
    let kinds = ["manufacturer", "supplier", "retailer", "business"];
    let party = |i: usize| Party {
        kind: kinds[i % 4],
        verified: i.is_multiple_of(3),
        created_at: as_of() - TimeDelta::hours((i * 7919 % 200_000) as i64),
        tax_id: i.is_multiple_of(5).then_some("T"),
        contacts: std::array::from_fn(|c| ((i >> c) & 1 == 1).then_some("c")),
    };
    let parties: Vec<_> = (0..10_500).map(party).collect();
    let mut batch = TestBatch::new("B", as_of()).await;
    batch.publish(&PARTIES, &rows(&parties)).await;
    let mut versions = Vec::new();
    for (threads, shards) in [(1, 1), (2, 1), (1, 7), (2, 7)] {
        batch.threads = threads;
        let key = format!("t{threads}s{shards}");
        versions.extend(batch.run(&ExtractKycFeatures, &key, shards).await.unwrap());
    }
    assert_eq!(versions.len(), 4);
    for version in &versions {
        assert_eq!(version.rows, 10_500);
        assert_eq!(version.digest, versions[0].digest);
        assert_eq!(version.metadata, versions[0].metadata);
    }
    assert_eq!(versions[0].metadata["as_of"], "2026-03-01T12:00:00+00:00");
    assert_eq!(versions[0].metadata["feature_means"]["has_tax_id"], 0.2);
}

#[tokio::test]
async fn a_batch_without_parties_has_an_empty_version() {
    assert_eq!(features(&[]).await.num_rows(), 0);
}
