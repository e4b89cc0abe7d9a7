//! What scoring is for, without I/O, clock or async.

pub(crate) mod drift_check;
pub(crate) mod moved;
pub(crate) mod population;
pub(crate) mod shadow;
pub(crate) mod statistics;
