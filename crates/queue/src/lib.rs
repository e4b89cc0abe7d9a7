//! The work queue between the orchestrator and the workers: lanes of tasks, a stream of results, a stream of log lines.
//!
//! The queue is a hint, the state store is the truth: whatever it loses is pushed again, whatever it delivers twice is
//! harmless because attempts are fenced in SQL. [`conformance`] says what every implementation promises.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod in_process;
mod queue;
mod redis;

pub use error::{Effect, QueueError};
pub use in_process::{Capacity, InProcessQueue};
pub use queue::{
    Beat, Consumer, Delivery, EntryId, LaneReport, Outstanding, ResultEntry, TaskQueue,
};
pub use redis::{RedisOptions, RedisQueue, RedisUrlError};
