//! From values to typed rows: one builder per table, which judges a record field by field and appends it, or says
//! what is wrong. A record is judged whole before anything of it is appended.

pub(crate) mod accounts;
pub(crate) mod outcomes;
pub(crate) mod parties;
pub(crate) mod relationships;
pub(crate) mod transactions;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondBuilder, UInt32Builder, UInt64Builder};
use arrow::datatypes::{DataType, Field, TimeUnit};

use super::fault::Fault;
use super::table::Table;
use super::value::Value;

/// Where a record stands: which file of the source, which line or index in it, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) row: u64,
}

/// Typed rows of one table, columns under construction.
pub(crate) trait Rows: Send {
    fn push(&mut self, place: Place, values: &[Value<'_>]) -> Result<(), Fault>;
    /// The columns so far, places first, in the order of the table's staged schema.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

pub(crate) fn rows(table: Table) -> Box<dyn Rows> {
    match table {
        Table::Parties => Box::<parties::Parties>::default(),
        Table::Accounts => Box::<accounts::Accounts>::default(),
        Table::Transactions => Box::<transactions::Transactions>::default(),
        Table::Relationships => Box::<relationships::Relationships>::default(),
        Table::Outcomes => Box::<outcomes::Outcomes>::default(),
    }
}

/// The columns that a builder of this table yields. `party_id` and its like are still text here.
pub(crate) fn columns(table: Table) -> Vec<Field> {
    let mut fields = vec![
        Field::new("file_no", DataType::UInt32, false),
        Field::new("row_no", DataType::UInt64, false),
    ];
    fields.extend(match table {
        Table::Parties => parties::columns(),
        Table::Accounts => accounts::columns(),
        Table::Transactions => transactions::columns(),
        Table::Relationships => relationships::columns(),
        Table::Outcomes => outcomes::columns(),
    });
    fields
}

#[derive(Debug, Default)]
struct Places {
    file: UInt32Builder,
    row: UInt64Builder,
}

impl Places {
    fn push(&mut self, place: Place) {
        self.file.append_value(place.file);
        self.row.append_value(place.row);
    }

    fn finish(&mut self) -> [ArrayRef; 2] {
        [Arc::new(self.file.finish()), Arc::new(self.row.finish())]
    }
}

fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn finish_times(builder: &mut TimestampMicrosecondBuilder) -> ArrayRef {
    Arc::new(builder.finish().with_timezone("UTC"))
}

fn amount_type() -> DataType {
    DataType::Decimal128(18, 4)
}

fn text(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Utf8, nullable)
}

/// A hash of an id, equal for equal ids: rows that may be duplicates are found by it, then compared in full.
fn id_hash(id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}
