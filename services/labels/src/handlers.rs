//! Between the outside and the core: the task, the source, the gRPC service.

pub(crate) mod generate;
mod history;
mod observations;
mod outcomes;
pub(crate) mod published;
mod record;
mod recorded;
pub(crate) mod service;
pub(crate) mod source;
mod statistics;

#[cfg(test)]
mod tests;
