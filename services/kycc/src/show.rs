//! What people and programs see: tables, charts, JSON.

pub(crate) mod chart;
pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;

pub(crate) use table::Table;
