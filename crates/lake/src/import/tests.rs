use crate::datasets::{FEATURE_VECTORS, KYC_FEATURES, PARTIES, SCORES, TRANSACTIONS};
use crate::error::{ImportProblem, LakeError};
use crate::lake::Lake;
use crate::spec::DatasetSpec;
use crate::testing::{id, scores, transactions};
use crate::version::VersionId;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, UInt32Type};
use uuid::Uuid;

async fn import(
    spec: &'static DatasetSpec,
    name: &str,
    content: impl AsRef<[u8]>,
) -> Result<(Lake, VersionId, RecordBatch), LakeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let lake = Lake::open("memory:").unwrap();
    let id = id(spec, "imported");
    lake.import_table(spec, &id, &path, Uuid::from_u128(1))
        .await?;
    let rows = lake.read(&id, None, None).await?;
    Ok((lake, id, rows))
}

async fn problem(spec: &'static DatasetSpec, name: &str, content: &str) -> ImportProblem {
    match import(spec, name, content).await.unwrap_err() {
        LakeError::Import { problem, path } => {
            assert!(path.ends_with(name), "{path}");
            problem
        }
        other => panic!("{other}"),
    }
}

fn texts(rows: &RecordBatch, column: &str) -> Vec<String> {
    let column = rows.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|t| t.unwrap_or("-").to_owned()).collect()
}

const KYC: &str =
    "party_id,kyc_verified,company_age_years,party_type_score,contact_completeness,has_tax_id\n";

#[tokio::test]
async fn csv_without_ordinals_is_sorted_by_party_and_numbered() {
    let csv = format!("{KYC}b,1,2.5,7,75,0\na,0,1,10,100,1\nB,1,0,5,0,0\n");
    let (_, _, rows) = import(&KYC_FEATURES, "kyc.csv", csv).await.unwrap();
    assert_eq!(texts(&rows, "party_id"), ["B", "a", "b"]);
    let ordinals = rows.column_by_name("party_ord").unwrap();
    assert_eq!(ordinals.as_primitive::<UInt32Type>().values(), &[0, 1, 2]);
}

#[tokio::test]
async fn ndjson_reads_blanks_as_absent_and_lists_as_lists() {
    let line = |party: &str, tax: &str| {
        format!(
            "{{\"party_id\":\"{party}\",\"name\":\"N\",\"party_type\":\"retailer\",\"kyc_verified\":true,\
             \"tax_id\":{tax},\"created_at\":\"2020-01-02T03:04:05+01:00\"}}\n"
        )
    };
    let lines = line("p2", "\" \"") + "\n" + &line("p1", "\"DE1\"") + &line("p3", "null");
    let (_, _, rows) = import(&PARTIES, "parties.ndjson", lines).await.unwrap();
    assert_eq!(texts(&rows, "tax_id"), ["DE1", "-", "-"]);
    assert_eq!(texts(&rows, "email"), ["-", "-", "-"]);
    let times = rows.column_by_name("created_at").unwrap();
    let time = arrow::util::display::array_value_to_string(times, 0).unwrap();
    assert!(time.starts_with("2020-01-02T02:04:05"), "{time}");
}

#[tokio::test]
async fn lists_come_in_from_text_as_from_parquet() {
    let rows = scores(0..40);
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let (lake, id, found) = import(&SCORES, "scores.parquet", bytes).await.unwrap();
    assert_eq!(found, rows);
    let manifest = lake.verify(&id).await.unwrap();
    assert_eq!(manifest.rows, 40);

    let header = rows
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect::<Vec<_>>();
    let csv = header[..12].join(",")
        + "\n"
        + "0,p,1.5,400,400,poor,\"[\"\"a\"\",\"\"b\"\"]\",[],[],[],[],\"[1,2.5]\"\n";
    let (_, _, found) = import(&SCORES, "scores.csv", csv).await.unwrap();
    let flags = found
        .column_by_name("flags")
        .unwrap()
        .as_list::<i32>()
        .value(0);
    assert_eq!(
        flags
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[tokio::test]
async fn tables_of_events_are_sorted_in_their_own_order() {
    let rows = transactions(0..3, 2);
    let order = arrow::array::UInt32Array::from(vec![5, 0, 3, 1, 4, 2]);
    let shuffled = arrow::compute::take_record_batch(&rows, &order).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
    writer.write(&shuffled).unwrap();
    writer.close().unwrap();
    let (_, _, found) = import(&TRANSACTIONS, "t.parquet", bytes).await.unwrap();
    assert_eq!(found, rows);
}

#[tokio::test]
async fn amounts_are_exact_or_refused() {
    let header = "party_ord,ts,txn_id,amount,txn_type\n";
    let row = |amount: &str| format!("{header}0,2026-01-01T00:00:00Z,t,{amount},invoice\n");
    let (_, _, rows) = import(&TRANSACTIONS, "t.csv", row("-12.3456"))
        .await
        .unwrap();
    let amounts = rows.column_by_name("amount").unwrap();
    assert_eq!(amounts.as_primitive::<Decimal128Type>().value(0), -123_456);
    for bad in ["1.23456", "NaN", "inf", "100000000000000", "12,5", "x"] {
        let found = problem(&TRANSACTIONS, "t.csv", &row(&format!("\"{bad}\""))).await;
        assert!(
            matches!(&found, ImportProblem::Value { row: 1, column, .. } if column == "amount"),
            "{bad}: {found}"
        );
    }
}

#[tokio::test]
async fn unknown_and_missing_columns_are_named() {
    let found = problem(&KYC_FEATURES, "k.csv", "party_id,verified\na,1\n").await;
    let text = found.to_string();
    assert!(
        text.contains("\"verified\"") && text.contains("kyc_verified"),
        "{text}"
    );
    let found = problem(
        &KYC_FEATURES,
        "k.csv",
        "party_id,kyc_verified,has_tax_id\na,1,1\n",
    )
    .await;
    assert_eq!(
        found,
        ImportProblem::MissingColumns {
            dataset: "kyc_features",
            columns: "company_age_years, party_type_score, contact_completeness".into()
        }
    );
    let found = problem(&KYC_FEATURES, "k.ndjson", "{\"party_id\":\"a\",\"x\":1}\n").await;
    assert!(matches!(found, ImportProblem::UnknownColumn { column, .. } if column == "x"));
    let found = problem(&KYC_FEATURES, "k.csv", "party_id,party_id\na,b\n").await;
    assert!(
        matches!(found, ImportProblem::DuplicateColumn { .. }),
        "{found}"
    );
}

#[tokio::test]
async fn bad_values_are_named_with_row_and_column() {
    for (value, expected) in [("x", "finite"), ("NaN", "finite"), ("inf", "finite")] {
        let csv = format!("{KYC}a,1,2,7,75,0\nb,1,{value},7,75,0\n");
        let found = problem(&KYC_FEATURES, "k.csv", &csv).await;
        let ImportProblem::Value { row, column, .. } = &found else {
            panic!("{found}")
        };
        assert_eq!((*row, column.as_str()), (2, "company_age_years"));
        assert!(found.to_string().contains(expected), "{found}");
    }
    let found = problem(&KYC_FEATURES, "k.csv", &format!("{KYC}a,1,,7,75,0\n")).await;
    assert!(
        matches!(found, ImportProblem::Missing { row: 1, .. }),
        "{found}"
    );
    let found = problem(&KYC_FEATURES, "k.csv", &format!("{KYC}a,1\n")).await;
    assert!(matches!(found, ImportProblem::Unreadable { .. }), "{found}");
    let found = problem(&KYC_FEATURES, "k.ndjson", "{\"party_id\":\"a\"}\n[1]\n").await;
    assert!(
        matches!(found, ImportProblem::Row { row: 2, .. }),
        "{found}"
    );
}

#[tokio::test]
async fn parties_and_ordinals_must_be_one_to_one() {
    let found = problem(
        &KYC_FEATURES,
        "k.csv",
        &format!("{KYC}a,1,1,7,75,0\na,1,2,7,75,0\n"),
    )
    .await;
    assert_eq!(found, ImportProblem::DuplicateParty { party: "a".into() });
    let csv = format!("party_ord,{KYC}0,a,1,1,7,75,0\n2,b,1,2,7,75,0\n");
    let found = problem(&KYC_FEATURES, "k.csv", &csv).await;
    assert_eq!(
        found,
        ImportProblem::Ordinals {
            expected: 1,
            found: 2
        }
    );
}

#[tokio::test]
async fn a_file_that_is_no_table_is_refused() {
    assert_eq!(
        problem(&KYC_FEATURES, "k.xlsx", "").await,
        ImportProblem::Format
    );
    let found = problem(&KYC_FEATURES, "k.parquet", "not parquet").await;
    assert!(matches!(found, ImportProblem::Unreadable { .. }), "{found}");
    let lake = Lake::open("memory:").unwrap();
    let id = id(&FEATURE_VECTORS, "k");
    let nowhere = std::path::Path::new("nowhere.csv");
    let error = lake
        .import_table(&FEATURE_VECTORS, &id, nowhere, Uuid::nil())
        .await
        .unwrap_err();
    assert_eq!(error.reason(), "FILE_UNREADABLE");
}
