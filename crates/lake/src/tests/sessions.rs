//! SQL over versions: bounded, in order, the same on any number of threads.

use super::*;
use crate::datasets::{SCORES, TRANSACTIONS};
use crate::session::SessionLimits;
use crate::testing::{id, scores, transactions};
use arrow::array::AsArray;
use arrow::compute::concat_batches;
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;

on_every_store!(
    sql_gives_the_same_rows_in_order_on_any_number_of_threads,
    sorting_more_than_fits_in_memory_spills_to_this_machine,
    strings_and_lists_come_back_in_the_datasets_types,
    an_empty_version_is_an_empty_table,
    a_file_that_goes_before_the_query_is_an_error_not_an_empty_table,
);

const MB: usize = 1024 * 1024;

const SUMS: &str = "
    -- what each party moved since a time
    SELECT party_ord, COUNT(*) AS n, SUM(amount) AS total
    FROM transactions
    WHERE party_ord >= $from
    GROUP BY party_ord
    ORDER BY party_ord;";

fn limits(threads: usize, memory_bytes: usize) -> SessionLimits {
    SessionLimits {
        threads,
        memory_bytes,
    }
}

async fn sums(
    lake: &Lake,
    limits: SessionLimits,
    ordinals: Option<std::ops::Range<u32>>,
) -> RecordBatch {
    let session = lake.session(limits).unwrap();
    session
        .register("transactions", &id(&TRANSACTIONS, "k"), ordinals)
        .await
        .unwrap();
    let params = vec![("from", ScalarValue::UInt32(Some(3)))];
    let rows = session.sql_stream("sums.sql", SUMS, params).await.unwrap();
    let rows: Vec<_> = rows.try_collect().await.unwrap();
    concat_batches(&rows[0].schema(), &rows).unwrap()
}

async fn sql_gives_the_same_rows_in_order_on_any_number_of_threads(place: &Place) {
    let lake = place.lake();
    write_whole(&lake, &id(&TRANSACTIONS, "k"), &transactions(0..20_000, 10)).await;
    let one = sums(&lake, limits(1, 200 * MB), None).await;
    assert_eq!(one.num_rows(), 19_997);
    for threads in [2, 5] {
        assert_eq!(sums(&lake, limits(threads, 200 * MB), None).await, one);
    }
    let part = sums(&lake, limits(2, 200 * MB), Some(1_024..2_048)).await;
    assert_eq!(part, one.slice(1_021, 1_024));
}

async fn sorting_more_than_fits_in_memory_spills_to_this_machine(place: &Place) {
    let lake = place.lake();
    write_whole(&lake, &id(&TRANSACTIONS, "k"), &transactions(0..30_000, 10)).await;
    let session = lake.session(limits(1, 24 * MB)).unwrap();
    session
        .register("transactions", &id(&TRANSACTIONS, "k"), None)
        .await
        .unwrap();
    let sql = "SELECT txn_id, account_id, txn_type FROM transactions ORDER BY txn_id DESC";
    let plan = session
        .sql_file("sort.sql", sql, no_params())
        .await
        .unwrap();
    let physical = plan.create_physical_plan().await.unwrap();
    let stream = datafusion::physical_plan::execute_stream(
        std::sync::Arc::clone(&physical),
        session.ctx.task_ctx(),
    )
    .unwrap();
    let rows: Vec<_> = stream.try_collect().await.unwrap();
    assert_eq!(
        rows.iter().map(RecordBatch::num_rows).sum::<usize>(),
        300_000
    );
    assert_eq!(
        rows[0].column(0).as_string::<i32>().value(0),
        "T029999-0009"
    );
    assert!(
        spills(&physical) > 0,
        "the limit must be below what the sort needs"
    );
    assert!(place.folder.path().join("spill").is_dir());
    let paths = place.paths().await;
    assert!(
        paths.iter().all(|path| path.starts_with("transactions/")),
        "{paths:?}"
    );
}

fn spills(plan: &std::sync::Arc<dyn datafusion::physical_plan::ExecutionPlan>) -> usize {
    let own = plan
        .metrics()
        .and_then(|metrics| metrics.spill_count())
        .unwrap_or(0);
    own + plan.children().into_iter().map(spills).sum::<usize>()
}

fn no_params() -> Vec<(&'static str, ScalarValue)> {
    Vec::new()
}

async fn strings_and_lists_come_back_in_the_datasets_types(place: &Place) {
    let lake = place.lake();
    let (source, copy) = (id(&SCORES, "k"), id(&SCORES, "copy"));
    let rows = scores(0..3_000);
    let original = write_whole(&lake, &source, &rows).await;
    let session = lake.session(limits(2, 200 * MB)).unwrap();
    session.register("scores", &source, None).await.unwrap();
    let sql = "SELECT * FROM scores ORDER BY party_ord";
    let mut stream = session
        .sql_stream("copy.sql", sql, no_params())
        .await
        .unwrap();
    let mut writer = lake.writer(&SCORES, copy, Shard::WHOLE, attempt(2));
    while let Some(batch) = stream.try_next().await.unwrap() {
        assert_eq!(
            batch.schema().field(1).data_type(),
            &arrow::datatypes::DataType::Utf8
        );
        writer.write(&batch).await.unwrap();
    }
    let published = writer.finish(Metadata::new(), |m| m).await.unwrap();
    assert_eq!(published.manifest().unwrap().digest, original.digest);
}

async fn an_empty_version_is_an_empty_table(place: &Place) {
    let lake = place.lake();
    write_whole(&lake, &id(&SCORES, "k"), &scores(0..0)).await;
    let session = lake.session(limits(2, 100 * MB)).unwrap();
    session
        .register("scores", &id(&SCORES, "k"), Some(0..10))
        .await
        .unwrap();
    let sql = "SELECT COUNT(band) AS n FROM scores";
    let rows = session
        .sql_file("n.sql", sql, no_params())
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(
        rows[0]
            .column(0)
            .as_primitive::<arrow::datatypes::Int64Type>()
            .value(0),
        0
    );
}

async fn a_file_that_goes_before_the_query_is_an_error_not_an_empty_table(place: &Place) {
    let lake = place.lake();
    let id = id(&SCORES, "k");
    let manifest = write_whole(&lake, &id, &scores(0..10)).await;
    let session = lake.session(limits(1, 100 * MB)).unwrap();
    session.register("scores", &id, None).await.unwrap();
    place
        .remove(&format!("scores/BATCH_001/k/{}", manifest.files[0].path))
        .await;
    let sql = "SELECT party_id FROM scores ORDER BY party_id";
    let found = session.sql_stream("gone.sql", sql, no_params()).await;
    let error = match found {
        Ok(rows) => rows.try_collect::<Vec<_>>().await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(error.reason(), "LAKE_FILE_GONE");
}

#[tokio::test]
async fn statements_that_change_anything_and_wrong_sql_are_refused_by_name() {
    let lake = Lake::open("memory:").unwrap();
    let session = lake.session(limits(1, 100 * MB)).unwrap();
    for sql in [
        "CREATE TABLE t AS SELECT 1",
        "SELECT * FROM nowhere",
        "SELEC",
    ] {
        let error = session
            .sql_file("wrong.sql", sql, no_params())
            .await
            .unwrap_err();
        assert_eq!(error.reason(), "QUERY_FAILED");
        assert!(error.to_string().contains("wrong.sql"), "{error}");
    }
    let missing = session
        .register("t", &id(&SCORES, "k"), None)
        .await
        .unwrap_err();
    assert_eq!(missing.reason(), "VERSION_NOT_FOUND");
}
