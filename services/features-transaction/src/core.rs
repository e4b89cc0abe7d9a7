//! What this service is for, without I/O: which instants bound the window that features look at.

pub(crate) mod window;
