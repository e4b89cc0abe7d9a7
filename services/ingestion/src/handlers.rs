//! Decode, call, encode: the task that ingests, the observer of its source, the gRPC service.

pub(crate) mod grpc;
pub(crate) mod launch;
pub(crate) mod observer;
pub(crate) mod rejected;
pub(crate) mod summary;
pub(crate) mod task;
pub(crate) mod upload;
pub(crate) mod validate;
