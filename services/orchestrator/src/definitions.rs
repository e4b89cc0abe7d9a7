//! The graph as data: assets, jobs, resources, the run queue. `pipeline.yaml` read, checked and pinned by its hash.

mod catalogue;
mod check;
mod graph;
mod load;
mod types;

pub(crate) use catalogue::Catalogue;
pub(crate) use load::DEFAULT;
pub(crate) use types::{AssetDef, Definitions, JobDef, Monitoring};
