//! Records that are good in themselves but not of this batch: in the future, or naming a party that it does not have.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{UInt32Type, UInt64Type};
use chrono::DateTime;
use futures::TryStreamExt;
use kycc_runtime::TaskError;

use super::{Relation, queries};
use crate::core::fault::{Fault, quoted};
use crate::core::rows::Place;
use crate::core::table::Table;
use crate::reader::parse::Reject;
use crate::stage::error::StageError;

const FUTURE: &str = "FUTURE";

impl Relation<'_> {
    /// Registers a table, and finds and counts what it has to leave out.
    pub(super) async fn leave_out(&mut self, table: Table) -> Result<(), TaskError> {
        self.register(table)?;
        let mut rows = self.run(queries::left_out(table)).await?;
        while let Some(batch) = rows.try_next().await? {
            self.cx.check_cancelled()?;
            self.left_out_rows(table, &batch)?;
        }
        Ok(())
    }

    fn left_out_rows(&mut self, table: Table, batch: &RecordBatch) -> Result<(), StageError> {
        let file = batch.column(0).as_primitive::<UInt32Type>();
        let row = batch.column(1).as_primitive::<UInt64Type>();
        let code = batch.column(2).as_string::<i32>();
        let field = batch.column(3).as_string::<i32>();
        let id = batch.column(4).as_primitive::<UInt32Type>();
        for index in 0..batch.num_rows() {
            let id = if id.is_valid(index) {
                self.ids.get(id.value(index))
            } else {
                ""
            };
            let (code, reason) = self.reason(code.value(index), id);
            let reject = Reject {
                table,
                place: Place {
                    file: file.value(index),
                    row: row.value(index),
                },
                fault: Fault {
                    field: Some(field.value(index).to_owned().into()),
                    code,
                    reason,
                },
                record: None,
            };
            let failed = code != FUTURE;
            let counts = self.counts.entry(table).or_default();
            if failed {
                counts.rejected += 1;
            } else {
                counts.future += 1;
            }
            self.rejects.add(reject, failed)?;
        }
        Ok(())
    }

    fn reason(&self, code: &str, id: &str) -> (&'static str, String) {
        match code {
            FUTURE => {
                let as_of = DateTime::from_timestamp_micros(self.as_of).unwrap_or_default();
                (
                    FUTURE,
                    format!("later than the as-of time {}", as_of.to_rfc3339()),
                )
            }
            "SELF_LOOP" => ("SELF_LOOP", format!("leads from {} to itself", quoted(id))),
            "OTHER_BATCH" => (
                "OTHER_BATCH",
                format!("is not about batch {}", self.cx.batch()),
            ),
            _ => (
                "UNKNOWN_PARTY",
                format!("the batch has no party {}", quoted(id)),
            ),
        }
    }
}
