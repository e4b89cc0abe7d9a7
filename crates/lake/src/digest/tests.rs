use super::*;
use crate::datasets::{ALL, OUTCOMES, SCORES};
use crate::testing::{outcomes, scores};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Int32Array, ListArray, ListBuilder,
    StringArray, StringBuilder, StringViewArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};
use proptest::prelude::*;
use std::sync::Arc;

fn hash(array: impl Array + 'static) -> String {
    let mut hasher = Hasher::new();
    column_values(&mut hasher, &(Arc::new(array) as ArrayRef));
    hasher.finalize().to_hex().to_string()
}

fn digest_in_portions(rows: &RecordBatch, portion: usize, threads: usize) -> Digest {
    let mut hasher = RowsHasher::new(threads);
    for start in (0..rows.num_rows()).step_by(portion) {
        hasher.push(&rows.slice(start, portion.min(rows.num_rows() - start)));
    }
    let (count, blocks) = hasher.finish();
    assert_eq!(count, rows.num_rows() as u64);
    version_digest(&SCORES, count, &blocks)
}

#[test]
fn digest_does_not_depend_on_batches_or_threads() {
    let rows = scores(0..5_000);
    let whole = digest_in_portions(&rows, 5_000, 1);
    for (portion, threads) in [(1, 1), (7, 2), (1023, 1), (1024, 2), (1025, 2), (5_000, 2)] {
        assert_eq!(
            digest_in_portions(&rows, portion, threads),
            whole,
            "{portion}, {threads}"
        );
    }
    assert_eq!(
        rows_digest(&SCORES, std::slice::from_ref(&rows)).unwrap(),
        whole
    );
    assert_ne!(
        rows_digest(&SCORES, &[rows.slice(0, 4_999)]).unwrap(),
        whole
    );
}

#[test]
fn digest_is_the_one_that_was_recorded() {
    let digest = rows_digest(&SCORES, &[scores(0..1_500)]).unwrap();
    assert_eq!(
        digest.as_str(),
        RECORDED,
        "a change of digests orphans every stored version"
    );
}

const RECORDED: &str = "35420b862828be94ab4d5974b77e3f75edf7ae23be0de23d03601f93d710f220";

#[test]
fn rows_of_other_datasets_have_other_digests_even_when_there_are_none() {
    let digests: std::collections::HashSet<_> = ALL
        .iter()
        .map(|spec| version_digest(spec, 0, &[]))
        .collect();
    assert_eq!(digests.len(), ALL.len());
}

#[test]
fn every_column_type_of_every_dataset_can_be_hashed() {
    for spec in ALL {
        for field in spec.schema().fields() {
            let mut hasher = Hasher::new();
            column_values(&mut hasher, &new_null_array(field.data_type(), 3));
        }
    }
}

#[test]
fn zeros_and_nans_have_one_form_each() {
    let floats = |values: [f64; 3]| hash(arrow::array::Float64Array::from(values.to_vec()));
    let other_nan = f64::from_bits(f64::NAN.to_bits() ^ (1 << 63) ^ 1);
    assert!(other_nan.is_nan());
    assert_eq!(floats([0.0, f64::NAN, 1.0]), floats([-0.0, other_nan, 1.0]));
    assert_ne!(floats([0.0, f64::NAN, 1.0]), floats([0.0, f64::NAN, -1.0]));
}

#[test]
fn what_lies_under_a_null_does_not_count() {
    let nulls = || Some(NullBuffer::from(vec![true, false, true]));
    let ints = |hidden| Int32Array::new(ScalarBuffer::from(vec![1, hidden, 3]), nulls());
    assert_eq!(hash(ints(0)), hash(ints(77)));
    let texts = |hidden: &str| {
        let lengths = [1, hidden.len(), 1];
        let data = format!("a{hidden}c");
        StringArray::new(
            OffsetBuffer::from_lengths(lengths),
            data.into_bytes().into(),
            nulls(),
        )
    };
    assert_eq!(hash(texts("")), hash(texts("hidden")));
    let lists = |hidden: usize| {
        let items: Vec<_> = (0..hidden + 2)
            .map(|i| if i == 0 { "a" } else { "z" })
            .collect();
        let field = Arc::new(arrow::datatypes::Field::new_list_field(
            DataType::Utf8,
            true,
        ));
        let offsets = OffsetBuffer::from_lengths([1, hidden, 1]);
        ListArray::new(field, offsets, Arc::new(StringArray::from(items)), nulls())
    };
    assert_eq!(hash(lists(0)), hash(lists(3)));
}

#[test]
fn a_null_is_not_an_empty_value() {
    let texts = |value: Option<&str>| hash(StringArray::from(vec![value]));
    assert_ne!(texts(None), texts(Some("")));
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append(true);
    let mut null = ListBuilder::new(StringBuilder::new());
    null.append(false);
    assert_ne!(hash(list.finish()), hash(null.finish()));
    let mut no = BooleanBuilder::new();
    no.append_value(false);
    let mut absent = BooleanBuilder::new();
    absent.append_null();
    assert_ne!(hash(no.finish()), hash(absent.finish()));
}

#[test]
fn a_slice_counts_as_if_it_stood_alone() {
    let texts = StringArray::from(vec![Some("x"), None, Some("yy"), Some("z"), None]);
    let alone = StringArray::from(vec![None, Some("yy"), Some("z")]);
    assert_eq!(hash(texts.slice(1, 3)), hash(alone));
    let flags = BooleanArray::from(vec![Some(true), Some(true), None, Some(false), Some(true)]);
    let alone = BooleanArray::from(vec![Some(true), None, Some(false)]);
    assert_eq!(hash(flags.slice(1, 3)), hash(alone));
}

#[test]
fn text_does_not_move_between_rows_unseen() {
    let texts = |values: [&str; 2]| hash(StringArray::from(values.to_vec()));
    assert_ne!(texts(["ab", "c"]), texts(["a", "bc"]));
}

#[test]
fn views_and_dictionaries_hash_as_the_text_they_stand_for() {
    let rows = outcomes(&["p1", "p2", "p2"]);
    let plain = rows_digest(&OUTCOMES, std::slice::from_ref(&rows)).unwrap();
    let kind = rows.column_by_name("kind").unwrap().as_string::<i32>();
    let dictionary: arrow::array::DictionaryArray<Int32Type> = kind.iter().collect();
    let views: StringViewArray = rows.column(0).as_string::<i32>().iter().collect();
    let schema = rows.schema();
    let fields = schema.fields().iter().enumerate().map(|(index, field)| {
        let column: ArrayRef = match index {
            0 => Arc::new(views.clone()),
            1 => Arc::new(dictionary.clone()),
            _ => Arc::clone(rows.column(index)),
        };
        (field.name().clone(), column)
    });
    let same = RecordBatch::try_from_iter(fields.collect::<Vec<_>>()).unwrap();
    assert_eq!(rows_digest(&OUTCOMES, &[same]).unwrap(), plain);
}

proptest! {
    #[test]
    fn different_columns_have_different_hashes(
        a in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..12),
        b in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..12),
    ) {
        let equal = hash(StringArray::from(a.clone())) == hash(StringArray::from(b.clone()));
        prop_assert_eq!(equal, a == b);
    }
}
