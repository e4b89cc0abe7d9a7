//! What uploads may take of a fleet.

use std::time::Duration;

use crate::store::Bounds;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bounds: Bounds,
    /// Streams and validations that one process serves at a time. Each holds up to [`PART_BYTES`] thrice and as many
    /// messages.
    pub(crate) calls: usize,
    /// Sources that one process reads for validation at a time.
    pub(crate) sources: usize,
    /// How long an open upload that nobody touches is kept.
    pub(crate) keep: Duration,
    /// How long received records wait for more before they are made durable by themselves.
    pub(crate) linger: Duration,
    /// Size at which a part is made durable.
    pub(crate) part_bytes: usize,
}

pub(crate) const PART_BYTES: usize = 4 << 20;
pub(crate) const MOST_BLOCK_RECORDS: usize = 100_000;
/// Errors that one answer names.
pub(crate) const MOST_ERRORS: usize = 100;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Limits {
    fn default() -> Self {
        Self {
            bounds: Bounds {
                open_uploads: 1_000,
                streams: 1_000,
                parts: 50_000,
                bytes: 64 << 30,
            },
            calls: 32,
            sources: 2,
            keep: 7 * DAY,
            linger: Duration::from_millis(10),
            part_bytes: PART_BYTES,
        }
    }
}
