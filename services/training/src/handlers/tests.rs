//! The task on hand-made batches, and what the service tells of the models that come of them.

mod answers;
mod batches;
mod bench;
mod findings;
