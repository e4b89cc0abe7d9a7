//! The lake: immutable dataset versions as sorted Parquet files (or one JSON document) on an object store.
//!
//! A version exists once its `manifest.json` does; that file is written last and never replaced, and readers trust
//! nothing else. The digest of a version is of its rows, never of its bytes.

pub mod datasets;
pub mod shard;

mod conform;
mod digest;
mod document;
mod encode;
mod error;
mod files;
mod garbage;
mod import;
mod lake;
mod lookup;
mod manifest;
mod metadata;
mod paths;
mod publish;
mod recent;
mod remote;
mod scan;
mod session;
mod spec;
mod store_problem;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verify;
mod version;
mod writer;

pub use conform::RowsProblem;
pub use datasets::dataset;
pub use digest::{BLOCK_ROWS, rows_digest};
pub use error::{ImportProblem, LakeError};
pub use garbage::Removed;
pub use lake::Lake;
pub use lookup::{PartyTable, PartyTables};
pub use manifest::{DataFile, Manifest, Published, ShardManifest};
pub use metadata::Metadata;
pub use recent::Recent;
pub use scan::RecordBatchStream;
pub use session::{Session, SessionLimits};
pub use shard::Shard;
pub use spec::{DatasetSpec, Kind};
pub use store_problem::StoreProblem;
pub use version::VersionId;
pub use writer::VersionWriter;
