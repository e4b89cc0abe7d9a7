//! Rows and places for this crate's own tests.

// One file, two crates: the test kit lies above the lake, and would bring another build of it along.
#[path = "../../testkit/src/faulty_store.rs"]
#[expect(unreachable_pub, reason = "public in the test kit")]
pub(crate) mod faulty_store;
#[path = "../../testkit/src/s3.rs"]
#[expect(unreachable_pub, reason = "public in the test kit")]
pub(crate) mod s3;

pub(crate) mod place;

use crate::datasets::{OUTCOMES, SCORES, TRANSACTIONS};
use crate::spec::DatasetSpec;
use crate::version::VersionId;
use arrow::array::*;
use arrow::datatypes::DataType;
use kycc_domain::ids::BatchId;
use std::ops::Range;
use std::sync::Arc;

pub(crate) fn id(spec: &DatasetSpec, key: &str) -> VersionId {
    spec.version(BatchId::new("BATCH_001").unwrap(), key)
}

/// Score rows of these parties: every value a function of the ordinal.
pub(crate) fn scores(ordinals: Range<u32>) -> RecordBatch {
    let ordinals: Vec<u32> = ordinals.collect();
    let schema = SCORES.schema();
    let columns = schema.fields().iter().map(|field| {
        let nullable = field.is_nullable();
        let null = move |o: u32| nullable && o.is_multiple_of(3);
        match field.data_type() {
            DataType::UInt32 => Arc::new(UInt32Array::from(ordinals.clone())) as ArrayRef,
            DataType::Int32 => Arc::new(Int32Array::from_iter_values(
                ordinals.iter().map(|o| 300 + (o % 601) as i32),
            )),
            DataType::Float64 => Arc::new(Float64Array::from_iter(
                ordinals
                    .iter()
                    .map(|&o| (!null(o)).then_some(f64::from(o) / 7.0)),
            )),
            DataType::Utf8 => Arc::new(StringArray::from_iter_values(
                ordinals
                    .iter()
                    .map(|o| format!("{}{o:07}", &field.name()[..1])),
            )),
            DataType::List(item) => lists(&ordinals, item.data_type() == &DataType::Float64),
            other => panic!("{other}"),
        }
    });
    RecordBatch::try_new(SCORES.schema(), columns.collect()).unwrap()
}

fn lists(ordinals: &[u32], floats: bool) -> ArrayRef {
    if floats {
        let mut list = ListBuilder::new(Float64Builder::new());
        for o in ordinals {
            list.append_value((0..o % 4).map(|i| Some(f64::from(i))));
        }
        Arc::new(list.finish())
    } else {
        let mut list = ListBuilder::new(StringBuilder::new());
        for o in ordinals {
            list.append_value((0..o % 4).map(|i| Some(format!("r{i}"))));
        }
        Arc::new(list.finish())
    }
}

pub(crate) fn outcomes(parties: &[&str]) -> RecordBatch {
    let schema = OUTCOMES.schema();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(parties.to_vec())),
        Arc::new(StringArray::from(vec!["paid"; parties.len()])),
        new_null_array(schema.field(2).data_type(), parties.len()),
        new_null_array(schema.field(3).data_type(), parties.len()),
        new_null_array(schema.field(4).data_type(), parties.len()),
    ];
    RecordBatch::try_new(schema, columns).unwrap()
}

/// `per_party` transactions of each party.
pub(crate) fn transactions(parties: Range<u32>, per_party: u32) -> RecordBatch {
    let rows: Vec<(u32, u32)> = parties
        .flat_map(|p| (0..per_party).map(move |t| (p, t)))
        .collect();
    let schema = TRANSACTIONS.schema();
    let texts = |f: fn(&(u32, u32)) -> String| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(f))) as ArrayRef
    };
    let amounts = rows.iter().map(|(p, t)| i128::from(p * 10_000 + t));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(p, _)| *p))),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(
                rows.iter()
                    .map(|(_, t)| 1_700_000_000_000_000 + i64::from(*t)),
            )
            .with_timezone("UTC"),
        ),
        texts(|(p, t)| format!("T{p:06}-{t:04}")),
        Arc::new(UInt32Array::from_iter(
            rows.iter().map(|(p, _)| (p % 2 == 0).then_some(*p)),
        )),
        texts(|(p, _)| format!("A{p}")),
        Arc::new(
            Decimal128Array::from_iter_values(amounts)
                .with_precision_and_scale(18, 4)
                .unwrap(),
        ),
        texts(|_| "EUR".into()),
        texts(|(_, t)| ["invoice", "payment"][(*t % 2) as usize].into()),
        new_null_array(schema.field(8).data_type(), rows.len()),
        new_null_array(schema.field(9).data_type(), rows.len()),
    ];
    RecordBatch::try_new(schema, columns).unwrap()
}
