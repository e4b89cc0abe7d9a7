//! What training is for, without I/O, clock or async. The solver and the metrics are `kycc_domain`'s.

pub(crate) mod config;
pub(crate) mod factors;
mod fitting;
pub(crate) mod judge;
pub(crate) mod model;
pub(crate) mod rows;
pub(crate) mod train;
pub(crate) mod warnings;
