//! What this service is for, without I/O: one feature vector per party out of three tables, checked against the catalogue.

pub(crate) mod join;
pub(crate) mod validate;
