//! What tests of several crates share: tasks for handlers without a fleet, and a queue with faults.

mod faulty_queue;
mod task;

pub use faulty_queue::{Call, Fault, FaultyQueue};
pub use task::{StillClock, TestBatch};
