//! What tests of several crates share: tasks for handlers without a fleet, a queue with faults, databases of a test's own.

mod faulty_queue;
pub mod postgres;
pub mod stores;
mod task;

/// Namespaces of a test's own on the Redis server that the tests were given, and servers that a test may hurt.
pub use kycc_queue::conformance::redis_server as redis;

pub use faulty_queue::{Call, Fault, FaultyQueue};
pub use task::{StillClock, TestBatch};
