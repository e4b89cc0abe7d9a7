//! Between the outside and the core: the task, the source, the gRPC service.

pub(crate) mod answers;
mod judged;
pub(crate) mod refine;
pub(crate) mod service;
pub(crate) mod source;
