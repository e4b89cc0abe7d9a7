//! Between the outside and the core: the task, the source, the gRPC service.

pub(crate) mod generate;
mod observations;
pub(crate) mod record;
pub(crate) mod source;
