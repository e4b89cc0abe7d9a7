//! What tests of several crates share: tasks for handlers without a fleet, a queue with faults, databases of a test's own.

mod faulty_queue;
pub mod postgres;
pub mod stores;
mod task;

pub use faulty_queue::{Call, Fault, FaultyQueue};
pub use task::{StillClock, TestBatch};
