//! What a record is, and whether it is a good one: tables, fields, amounts, times, JSON and CSV records. Pure.

pub(crate) mod amount;
pub(crate) mod csv;
pub(crate) mod fault;
pub(crate) mod json;
pub(crate) mod labels;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod unknown;
pub(crate) mod upload;
pub(crate) mod value;
