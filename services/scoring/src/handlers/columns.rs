//! The columns of versions held in memory, each found and known by its type once, so that a party's row is a few reads.

use std::sync::OnceLock;

use arrow::array::{Array, AsArray, Float64Array, Int32Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int32Type};
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES, FeatureVector};

/// A list of texts per row.
#[derive(Debug)]
pub(super) struct TextLists {
    lists: ListArray,
    texts: StringArray,
}

/// A list of numbers per row.
#[derive(Debug)]
pub(super) struct NumberLists {
    lists: ListArray,
    numbers: Float64Array,
}

/// Of the dataset `scores`.
#[derive(Debug)]
pub(super) struct ScoreColumns {
    pub(super) raw: Float64Array,
    pub(super) score: Int32Array,
    pub(super) final_score: Int32Array,
    pub(super) band: StringArray,
    pub(super) flags: TextLists,
    pub(super) rules_fired: TextLists,
    pub(super) reasons: TextLists,
    pub(super) reason_points: NumberLists,
    pub(super) cutoff_reasons: TextLists,
    pub(super) cutoff_reason_points: NumberLists,
    /// Per feature of the catalogue; null where it is no factor of the card.
    pub(super) points: [Float64Array; FEATURE_COUNT],
    lowest_first: OnceLock<Vec<u32>>,
}

/// Of the dataset `features`.
#[derive(Debug)]
pub(super) struct FeatureColumns {
    /// Per feature of the catalogue.
    pub(super) values: [Float64Array; FEATURE_COUNT],
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> &'a dyn Array {
    rows.column_by_name(name)
        .expect("a version read whole has every column of its dataset")
}

fn numbers(rows: &RecordBatch, name: &str) -> Float64Array {
    column(rows, name).as_primitive::<Float64Type>().clone()
}

fn whole(rows: &RecordBatch, name: &str) -> Int32Array {
    column(rows, name).as_primitive::<Int32Type>().clone()
}

impl TextLists {
    fn of(rows: &RecordBatch, name: &str) -> Self {
        let lists = column(rows, name).as_list::<i32>().clone();
        let texts = lists.values().as_string::<i32>().clone();
        Self { lists, texts }
    }

    pub(super) fn at(&self, row: usize) -> impl Iterator<Item = &str> {
        items(&self.lists, row).map(|item| self.texts.value(item))
    }

    pub(super) fn is_empty(&self, row: usize) -> bool {
        items(&self.lists, row).is_empty()
    }
}

impl NumberLists {
    fn of(rows: &RecordBatch, name: &str) -> Self {
        let lists = column(rows, name).as_list::<i32>().clone();
        let numbers = lists.values().as_primitive::<Float64Type>().clone();
        Self { lists, numbers }
    }

    pub(super) fn at(&self, row: usize) -> impl Iterator<Item = f64> {
        items(&self.lists, row).map(|item| self.numbers.value(item))
    }
}

/// Positions of a row's items among the items of all rows.
fn items(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

impl ScoreColumns {
    pub(super) fn of(rows: &RecordBatch) -> Self {
        Self {
            raw: numbers(rows, "raw"),
            score: whole(rows, "score"),
            final_score: whole(rows, "final_score"),
            band: column(rows, "band").as_string::<i32>().clone(),
            flags: TextLists::of(rows, "flags"),
            rules_fired: TextLists::of(rows, "rules_fired"),
            reasons: TextLists::of(rows, "reasons"),
            reason_points: NumberLists::of(rows, "reason_points"),
            cutoff_reasons: TextLists::of(rows, "cutoff_reasons"),
            cutoff_reason_points: NumberLists::of(rows, "cutoff_reason_points"),
            points: FEATURES
                .each_ref()
                .map(|spec| numbers(rows, &format!("points_{}", spec.name))),
            lowest_first: OnceLock::new(),
        }
    }

    /// Rows by final score, the lowest first, then in party order. Sorted once, four bytes a party.
    pub(super) fn lowest_first(&self) -> &[u32] {
        self.lowest_first.get_or_init(|| {
            let mut rows: Vec<u32> = (0..).take(self.final_score.len()).collect();
            rows.sort_by_key(|&row| self.final_score.value(row as usize));
            rows
        })
    }
}

impl FeatureColumns {
    pub(super) fn of(rows: &RecordBatch) -> Self {
        Self {
            values: FEATURES.each_ref().map(|spec| numbers(rows, spec.name)),
        }
    }

    pub(super) fn vector(&self, row: usize) -> FeatureVector {
        FeatureVector::new(std::array::from_fn(|at| self.values[at].value(row)))
    }
}
