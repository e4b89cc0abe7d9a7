//! Between the outside and the core: the task, the gRPC service, rows in and out.

mod answers;
mod card_source;
pub(crate) mod cards;
mod columns;
mod drift;
mod given;
mod history;
mod improvements;
mod in_force;
mod light_rows;
mod lists;
mod lookups;
mod mask;
mod off_thread;
pub(crate) mod published;
mod rows;
pub(crate) mod score_batch;
mod scored_rows;
pub(crate) mod service;
mod statistics;
mod stream;
#[cfg(test)]
mod tests;
mod transitions;
mod trials;
mod watch;
mod what_if;
