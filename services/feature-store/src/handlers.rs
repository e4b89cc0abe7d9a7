//! The task that makes feature vectors, and the calls that read them.

mod definitions;
pub(crate) mod extract;
pub(crate) mod lookup;
mod vectors;
