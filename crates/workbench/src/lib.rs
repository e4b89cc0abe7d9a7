//! The scoring core on any CSV or Parquet file: a table in, an analysis out. No service, no lake, no data folder.

pub mod error;
pub mod sample;
pub mod table;

pub use error::WorkbenchError;
pub use sample::{Holdout, Roles, Sample};
pub use table::Table;
