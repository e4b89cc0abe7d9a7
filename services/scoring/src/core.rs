//! What scoring is for, without I/O, clock or async.

pub(crate) mod population;
pub(crate) mod statistics;
