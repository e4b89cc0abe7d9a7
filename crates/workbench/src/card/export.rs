//! Scores per row as a CSV file: who, what happened, score, PD, and the points of every feature.

use std::path::Path;

use csv::Writer;

use super::Scored;
use crate::error::WorkbenchError;
use crate::fit::Fitted;
use crate::output::{Output, unwritable};
use crate::significant::exact;
use crate::table::Values;

pub(super) struct Export<'a> {
    fitted: &'a Fitted<'a>,
    out: &'a Path,
    writer: Writer<Output>,
}

impl<'a> Export<'a> {
    pub(super) fn create(fitted: &'a Fitted<'a>, out: &'a Path) -> Result<Self, WorkbenchError> {
        let mut export = Self {
            fitted,
            writer: Writer::from_writer(Output::create(out)?),
            out,
        };
        let who = fitted.sample.id.clone().unwrap_or_else(|| "row".into());
        let mut header = vec![who, fitted.report.target.clone()];
        header.extend(["part", "score", "raw", "pd"].map(String::from));
        let features = fitted.sample.features.iter();
        header.extend(features.map(|feature| format!("points_{feature}")));
        export.record(&header)?;
        Ok(export)
    }

    /// Rows come in the table's order, from 0.
    pub(super) fn row(&mut self, row: usize, scored: &Scored) -> Result<(), WorkbenchError> {
        let sample = &self.fitted.sample;
        let held_out = sample.holdout.binary_search(&row).is_ok();
        let mut record = vec![
            self.who(row),
            u8::from(sample.bad[row]).to_string(),
            if held_out { "holdout" } else { "train" }.into(),
            exact(scored.score),
            exact(scored.raw),
            exact(scored.pd),
        ];
        record.extend(scored.points.iter().map(|points| exact(*points)));
        self.record(&record)
    }

    pub(super) fn finish(self) -> Result<(), WorkbenchError> {
        let output = self.writer.into_inner();
        let output = output.map_err(|unflushed| unwritable(self.out, unflushed.into_error()))?;
        output.finish()
    }

    /// The id as in the file; without an id column the row's number, from 1.
    fn who(&self, row: usize) -> String {
        let sample = &self.fitted.sample;
        let Some(id) = &sample.id else {
            return (row + 1).to_string();
        };
        if let Some(text) = sample.table.id_text(id, row) {
            return text.to_owned();
        }
        let column = sample.table.column(id).ok();
        match column.map(|column| &column.values) {
            Some(Values::Numbers(numbers)) if numbers[row].is_nan() => String::new(),
            Some(Values::Numbers(numbers)) => exact(numbers[row]),
            Some(Values::Texts(texts)) => texts.at(row).unwrap_or_default().to_owned(),
            _ => (row + 1).to_string(),
        }
    }

    fn record(&mut self, fields: &[String]) -> Result<(), WorkbenchError> {
        let written = self.writer.write_record(fields);
        written.map_err(|cause| unwritable(self.out, cause.into()))
    }
}
