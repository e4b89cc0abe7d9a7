//! The whole task, on small batches: formats, rules, bad input.

mod bad_input;
mod formats;
mod harness;
mod outcomes;
mod rejected;
mod rules;
mod uploads;
