//! Uploads from a real client to a real server, and from there into the lake.

mod commits;
mod faults;
mod harness;
mod hostile;
mod limits;
mod streams;
mod validation;
