//! Time and ids come through here, so that tests can choose them.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where a service takes time and fresh ids from.
pub trait Clock: fmt::Debug + Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// Microseconds since 1970, as the state store keeps times.
    fn now_micros(&self) -> i64 {
        self.now().timestamp_micros()
    }

    /// A UUIDv7: unique, and later ones order after earlier ones.
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

pub(crate) fn timestamp(time: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(999_999_999),
    }
}
