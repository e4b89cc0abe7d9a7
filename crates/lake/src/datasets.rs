//! Every dataset of the lake, column by column. Changing one means raising its `schema_version`.

use crate::error::LakeError;
use crate::spec::{DatasetSpec, Kind};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use kycc_domain::catalogue::{FEATURES, Source};
use std::sync::{Arc, LazyLock};

/// `{"batch_id", "as_of"}` (µs since 1970, UTC): carries the as-of into the key of everything downstream.
pub static BATCH: DatasetSpec = document("batch");
pub static MODEL: DatasetSpec = document("model");
pub static SCORECARD_DRAFT: DatasetSpec = document("scorecard_draft");

pub static PARTIES: DatasetSpec = per_party("parties", || {
    schema([
        required("party_ord", DataType::UInt32),
        required("party_id", DataType::Utf8),
        required("name", DataType::Utf8),
        required("party_type", DataType::Utf8),
        required("kyc_verified", DataType::Boolean),
        optional("tax_id", DataType::Utf8),
        optional("registration_number", DataType::Utf8),
        optional("contact_person", DataType::Utf8),
        optional("email", DataType::Utf8),
        optional("phone", DataType::Utf8),
        optional("address", DataType::Utf8),
        required("created_at", time()),
    ])
});

pub static ACCOUNTS: DatasetSpec = table(
    "accounts",
    Some("party_ord"),
    &["party_ord", "account_id"],
    || {
        schema([
            required("party_ord", DataType::UInt32),
            required("account_id", DataType::Utf8),
            optional("account_type", DataType::Utf8),
            optional("currency", DataType::Utf8),
            optional("balance", amount()),
        ])
    },
);

pub static TRANSACTIONS: DatasetSpec = table(
    "transactions",
    Some("party_ord"),
    &["party_ord", "ts", "txn_id"],
    || {
        schema([
            required("party_ord", DataType::UInt32),
            required("ts", time()),
            required("txn_id", DataType::Utf8),
            optional("counterparty_ord", DataType::UInt32),
            optional("account_id", DataType::Utf8),
            required("amount", amount()),
            optional("currency", DataType::Utf8),
            required("txn_type", DataType::Utf8),
            optional("reference", DataType::Utf8),
            optional("days_past_due", DataType::Int32),
        ])
    },
);

pub static RELATIONSHIPS: DatasetSpec = table(
    "relationships",
    Some("from_ord"),
    &["from_ord", "to_ord", "relationship_type"],
    || {
        schema([
            required("from_ord", DataType::UInt32),
            required("to_ord", DataType::UInt32),
            required("relationship_type", DataType::Utf8),
            optional("relationship_id", DataType::Utf8),
            optional("established_date", time()),
        ])
    },
);

/// Records that ingestion refused. `row` counts from 1: a line, or an index in an array.
pub static REJECTED: DatasetSpec = table("rejected", None, &[], || {
    schema([
        required("table_name", DataType::Utf8),
        required("file", DataType::Utf8),
        required("row", DataType::UInt64),
        optional("field", DataType::Utf8),
        required("code", DataType::Utf8),
        required("reason", DataType::Utf8),
        optional("record", DataType::Utf8),
    ])
});

/// What became of parties, as a labels file or a feed told it.
pub static OUTCOMES: DatasetSpec = table("outcomes", None, &[], || {
    schema([
        required("party_id", DataType::Utf8),
        required("kind", DataType::Utf8),
        optional("will_default", DataType::Boolean),
        optional("days_past_due", DataType::Int32),
        optional("occurred_at", time()),
    ])
});

pub static KYC_FEATURES: DatasetSpec = per_party("kyc_features", || {
    schema(party().into_iter().chain(features(Some(Source::Kyc))))
});

pub static TRANSACTION_FEATURES: DatasetSpec = per_party("transaction_features", || {
    schema(
        party()
            .into_iter()
            .chain(features(Some(Source::Transaction)))
            .chain([required("months_present", DataType::Int64)]),
    )
});

pub static NETWORK_FEATURES: DatasetSpec = per_party("network_features", || {
    schema(party().into_iter().chain(features(Some(Source::Network))))
});

pub static FEATURE_VECTORS: DatasetSpec = per_party("features", || {
    schema(
        party()
            .into_iter()
            .chain(features(None))
            .chain([optional("months_present", DataType::Int64)]),
    )
});

/// `points_<feature>` is null where the feature is not a factor of the card.
pub static SCORES: DatasetSpec = per_party("scores", || {
    let points = FEATURES
        .iter()
        .map(|f| optional(&format!("points_{}", f.name), DataType::Float64));
    let fields = [
        required("raw", DataType::Float64),
        required("score", DataType::Int32),
        required("final_score", DataType::Int32),
        required("band", DataType::Utf8),
        required("flags", list(DataType::Utf8)),
        required("rules_fired", list(DataType::Utf8)),
        required("reasons", list(DataType::Utf8)),
        required("reason_points", list(DataType::Float64)),
        required("cutoff_reasons", list(DataType::Utf8)),
        required("cutoff_reason_points", list(DataType::Float64)),
    ];
    schema(party().into_iter().chain(fields).chain(points))
});

/// The same parties by the card in the shadow of the one that decides; no rows where none is. Decides nothing.
pub static SHADOW_SCORES: DatasetSpec = per_party("shadow_scores", || {
    schema(party().into_iter().chain([
        required("raw", DataType::Float64),
        required("score", DataType::Int32),
        required("final_score", DataType::Int32),
        required("band", DataType::Utf8),
    ]))
});

/// A version is of one policy and stands for good: labelling again adds a version. `source` is null without a label.
pub static LABELS: DatasetSpec = second(per_party("labels", || {
    schema(party().into_iter().chain([
        required("t0", time()),
        required("label", DataType::Utf8),
        optional("source", DataType::Utf8),
        required("weight", DataType::Float64),
        required("policy_version", DataType::Utf8),
    ]))
}));

/// What a model learned from and was judged on: one row per labelled party and batch, frozen with it. `part` is `train` or
/// `holdout`.
pub static TRAINING_ROWS: DatasetSpec =
    table("training_rows", None, &["batch_id", "party_id"], || {
        let fields = [
            required("batch_id", DataType::Utf8),
            required("party_id", DataType::Utf8),
            required("t0", time()),
            required("bad", DataType::Boolean),
            required("source", DataType::Utf8),
            required("weight", DataType::Float64),
            required("part", DataType::Utf8),
        ];
        schema(fields.into_iter().chain(features(None)))
    });

/// In the order of the pipeline.
pub static ALL: [&DatasetSpec; 17] = [
    &BATCH,
    &PARTIES,
    &ACCOUNTS,
    &TRANSACTIONS,
    &RELATIONSHIPS,
    &REJECTED,
    &OUTCOMES,
    &KYC_FEATURES,
    &TRANSACTION_FEATURES,
    &NETWORK_FEATURES,
    &FEATURE_VECTORS,
    &SCORES,
    &SHADOW_SCORES,
    &LABELS,
    &TRAINING_ROWS,
    &MODEL,
    &SCORECARD_DRAFT,
];

/// The dataset of that name.
pub fn dataset(name: &str) -> Result<&'static DatasetSpec, LakeError> {
    ALL.into_iter()
        .find(|spec| spec.name == name)
        .ok_or_else(|| LakeError::UnknownDataset {
            name: name.to_owned(),
        })
}

const fn table(
    name: &'static str,
    ordinal: Option<&'static str>,
    order: &'static [&'static str],
    columns: fn() -> SchemaRef,
) -> DatasetSpec {
    DatasetSpec {
        name,
        schema_version: 1,
        kind: Kind::Table,
        per_party: false,
        ordinal,
        order,
        columns: LazyLock::new(columns),
    }
}

const fn per_party(name: &'static str, columns: fn() -> SchemaRef) -> DatasetSpec {
    let mut spec = table(name, Some("party_ord"), &["party_ord"], columns);
    spec.per_party = true;
    spec
}

/// Of schema version 2.
const fn second(mut spec: DatasetSpec) -> DatasetSpec {
    spec.schema_version = 2;
    spec
}

const fn document(name: &'static str) -> DatasetSpec {
    let mut spec = table(name, None, &[], || Arc::new(Schema::empty()));
    spec.kind = Kind::Document;
    spec
}

fn schema(fields: impl IntoIterator<Item = Field>) -> SchemaRef {
    Arc::new(Schema::new(fields.into_iter().collect::<Vec<_>>()))
}

fn party() -> [Field; 2] {
    [
        required("party_ord", DataType::UInt32),
        required("party_id", DataType::Utf8),
    ]
}

/// The catalogue's features, of one extractor or all, in catalogue order.
fn features(source: Option<Source>) -> impl Iterator<Item = Field> {
    FEATURES
        .iter()
        .filter(move |f| source.is_none_or(|source| f.source == source))
        .map(|f| required(f.name, DataType::Float64))
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// Microseconds since 1970, UTC.
fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// DECIMAL(18,4): sums of it do not depend on the order of the rows.
fn amount() -> DataType {
    DataType::Decimal128(18, 4)
}

fn list(item: DataType) -> DataType {
    DataType::new_list(item, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dataset_is_found_by_its_name_and_sorts_by_columns_it_has() {
        for spec in ALL {
            assert_eq!(dataset(spec.name).unwrap().name, spec.name);
            assert_eq!(spec.dataset_name().as_str(), spec.name);
            for column in spec.order.iter().chain(spec.ordinal.iter()) {
                assert!(spec.schema().field_with_name(column).is_ok(), "{column}");
            }
        }
        assert_eq!(dataset("scrores").unwrap_err().reason(), "UNKNOWN_DATASET");
    }

    #[test]
    fn extractors_have_the_features_of_their_source_and_the_join_has_all() {
        let names = |spec: &DatasetSpec| {
            let schema = spec.schema();
            schema
                .fields()
                .iter()
                .map(|f| f.name().clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&KYC_FEATURES).len(), 2 + 5);
        assert_eq!(names(&TRANSACTION_FEATURES).len(), 2 + 6 + 1);
        assert_eq!(names(&NETWORK_FEATURES).len(), 2 + 6);
        assert_eq!(names(&FEATURE_VECTORS).len(), 2 + 17 + 1);
        assert_eq!(names(&SCORES).len(), 12 + 17);
    }
}
