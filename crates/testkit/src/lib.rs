//! What tests of several crates share: tasks for handlers without a fleet, a queue and an object store with faults,
//! databases of a test's own, a place on an S3 server.

mod faulty_queue;
mod faulty_store;
pub mod postgres;
mod s3;
pub mod stores;
mod task;

/// Namespaces of a test's own on the Redis server that the tests were given, and servers that a test may hurt.
pub use kycc_queue::conformance::redis_server as redis;

pub use faulty_queue::{Call, Fault, FaultyQueue};
pub use faulty_store::{FaultyStore, StoreCall, StoreFault};
pub use s3::S3Place;
pub use task::{StillClock, TestBatch};
