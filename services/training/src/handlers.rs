//! Between the outside and the core: the task and the gRPC service.

mod answers;
mod labelled;
pub(crate) mod service;
pub(crate) mod train_model;
