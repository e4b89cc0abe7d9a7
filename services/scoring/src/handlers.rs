//! Between the outside and the core: the task, the gRPC service, rows in and out.

pub(crate) mod answers;
pub(crate) mod card_source;
mod published;
pub(crate) mod rows;
pub(crate) mod score_batch;
pub(crate) mod service;
