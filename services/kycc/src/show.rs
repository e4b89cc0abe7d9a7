//! What people and programs see: tables, charts, JSON.

#[macro_use]
pub(crate) mod out;

pub(crate) mod chart;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;

pub(crate) use table::Table;
