//! Between the outside and the core: the task and the gRPC service.

mod answers;
mod batches;
mod compare;
mod labelled;
mod reported;
pub(crate) mod service;
pub(crate) mod train_model;

#[cfg(test)]
mod tests;
