//! Between the outside and the core: the task, the gRPC service, rows in and out.

mod answers;
mod card_source;
mod drift;
mod given;
mod improvements;
mod in_force;
mod off_thread;
mod published;
mod row;
mod rows;
pub(crate) mod score_batch;
mod scored_rows;
pub(crate) mod service;
#[cfg(test)]
mod tests;
mod trials;
