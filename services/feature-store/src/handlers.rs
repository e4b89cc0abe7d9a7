//! The task that makes feature vectors, and the calls that read them.

mod columns;
pub(crate) mod current;
mod definitions;
pub(crate) mod extract;
pub(crate) mod lookup;
mod vectors;
