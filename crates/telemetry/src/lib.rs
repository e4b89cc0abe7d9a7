//! Logs, and W3C trace context in and out of gRPC metadata and queue messages. One run is one trace: what is started
//! with the context of a run hangs under it, in whichever process.

mod context;
mod error_text;
mod logs;

pub use context::{
    child_of, continue_from, current_trace_id, current_traceparent, inject, new_root, trace_id_of,
};
pub use error_text::chain;
pub use logs::{Format, InitError, Telemetry, init};
