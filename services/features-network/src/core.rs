//! What this service is for, without I/O: the graph of a batch, its degrees, and how far and wide each party reaches.

pub(crate) mod graph;
pub(crate) mod order;
pub(crate) mod reach;
pub(crate) mod rows;
