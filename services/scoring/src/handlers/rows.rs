//! Feature columns in, rows of the `scores` dataset out.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, Int32Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, UInt32Array, new_null_array,
};
use arrow::datatypes::{DataType, Field, Float64Type};
use arrow::error::ArrowError;
use kycc_domain::card::{CompiledCard, round_half_up};
use kycc_domain::catalogue::{FEATURE_COUNT, FEATURES};
use kycc_domain::reasons::{MAX_REASONS, ReferenceMeans, Shortfall, greatest_shortfalls, reason};
use kycc_domain::rules::RuleSet;
use kycc_lake::datasets::SCORES;

use crate::core::population::{Columns, Population};

/// The feature columns of a batch. An error is the name of one that is missing or has nulls.
pub(crate) fn feature_columns(batch: &RecordBatch) -> Result<Columns<'_>, &'static str> {
    let mut columns: Columns<'_> = [&[]; FEATURE_COUNT];
    for (column, spec) in columns.iter_mut().zip(FEATURES) {
        let array = batch
            .column_by_name(spec.name)
            .and_then(|array| array.as_primitive_opt::<Float64Type>());
        *column = array
            .filter(|array| array.null_count() == 0)
            .ok_or(spec.name)?
            .values();
    }
    Ok(columns)
}

/// The parties of a batch, in its order.
pub(crate) fn party_ids(batch: &RecordBatch) -> Option<&StringArray> {
    batch.column_by_name("party_id")?.as_string_opt::<i32>()
}

/// Everything that rows are written from.
#[derive(Debug)]
pub(crate) struct Scores<'a> {
    pub(crate) card: &'a CompiledCard,
    pub(crate) rules: &'a RuleSet,
    pub(crate) party_ids: &'a StringArray,
    pub(crate) population: &'a Population,
    pub(crate) reference: &'a ReferenceMeans,
}

impl Scores<'_> {
    /// The rows of the parties in `range`, as the `scores` dataset wants them.
    pub(crate) fn rows(&self, range: Range<usize>) -> Result<RecordBatch, ArrowError> {
        let raw = &self.population.decided.raw[range.clone()];
        let decisions = &self.population.decided.decisions[range.clone()];
        let band_names = self.card.bands().as_slice();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(
                range.clone().map(|at| at as u32),
            )),
            Arc::new(self.party_ids.slice(range.start, range.len())),
            Arc::new(Float64Array::from(raw.to_vec())),
            Arc::new(Int32Array::from_iter_values(
                raw.iter().map(|&raw| round_half_up(raw)),
            )),
            Arc::new(Int32Array::from_iter_values(
                decisions.iter().map(|decision| decision.final_score),
            )),
            Arc::new(StringArray::from_iter_values(
                decisions.iter().map(|d| band_names[d.band].name.as_str()),
            )),
        ];
        let mut flags = strings();
        let mut fired = strings();
        for decision in decisions {
            self.rules
                .flags(decision)
                .for_each(|flag| flags.values().append_value(flag));
            flags.append(true);
            self.rules
                .fired(decision)
                .for_each(|rule| fired.values().append_value(&rule.name));
            fired.append(true);
        }
        columns.push(Arc::new(flags.finish()));
        columns.push(Arc::new(fired.finish()));
        columns.extend(self.reasons(range.clone(), &self.reference.population));
        columns.extend(self.reasons(range.clone(), &self.reference.near_cutoff));
        columns.extend(self.points(range));
        RecordBatch::try_new(SCORES.schema(), columns)
    }

    fn reasons(&self, range: Range<usize>, means: &[f64]) -> [ArrayRef; 2] {
        let factors = self.card.factor_count();
        let mut codes = strings();
        let mut lost = ListBuilder::new(Float64Builder::new()).with_field(item(DataType::Float64));
        for at in range {
            let own = &self.population.points[at * factors..][..factors];
            let mut found = [Shortfall::default(); MAX_REASONS];
            let count = greatest_shortfalls(own, means, &mut found);
            for shortfall in &found[..count] {
                codes
                    .values()
                    .append_value(reason(self.card, *shortfall).code);
                lost.values().append_value(shortfall.points_lost);
            }
            codes.append(true);
            lost.append(true);
        }
        [Arc::new(codes.finish()), Arc::new(lost.finish())]
    }

    /// One column for every feature of the catalogue; null where it is no factor of the card.
    fn points(&self, range: Range<usize>) -> Vec<ArrayRef> {
        let factors = self.card.factor_count();
        let column = |name: &str| -> ArrayRef {
            match (0..factors).find(|&factor| self.card.spec(factor).name == name) {
                Some(factor) => Arc::new(Float64Array::from_iter_values(
                    range
                        .clone()
                        .map(|at| self.population.points[at * factors + factor]),
                )),
                None => new_null_array(&DataType::Float64, range.len()),
            }
        };
        FEATURES.iter().map(|spec| column(spec.name)).collect()
    }
}

fn strings() -> ListBuilder<StringBuilder> {
    ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8))
}

/// The item field of the dataset's lists, whose nullability must match.
fn item(of: DataType) -> Field {
    let schema = SCORES.schema();
    let lists = schema
        .fields()
        .iter()
        .filter_map(|field| match field.data_type() {
            DataType::List(item) => Some(item),
            _ => None,
        });
    let found = lists
        .filter(|item| *item.data_type() == of)
        .map(|item| item.as_ref().clone())
        .next();
    found.expect("the scores dataset has lists of strings and of numbers")
}
