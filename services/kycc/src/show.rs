//! What people and programs see: tables, charts, JSON.

pub mod chart;
pub mod json;
pub mod table;
pub mod text;

pub use table::Table;
