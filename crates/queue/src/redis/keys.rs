//! Every key of this queue in Redis. Nobody else builds one.
//!
//! ```text
//!   kycc : v1 : {kycc.scoring} : tasks             one lane: its tasks, in the order they were pushed
//!    │     │      │    │       : urgent            … those with a priority above 0, read first
//!    │     │      │    └ lane
//!    │     │      └ namespace: fleets that share a server do not see each other
//!    │     └ version of what stands under the keys; a release that changes it moves on to another
//!    └ so that an operator sees whose it is
//!
//!   kycc : v1 : {kycc} : results                   what workers say when a task has ended
//!   kycc : v1 : {kycc} : logs                      lines that steps wrote; the oldest fall away when nobody reads
//!   kycc : v1 : {kycc} : cancelled : <task id>     a mark with a time to live
//! ```
//!
//! What stands in braces is all that a cluster hashes, so the keys of a lane share one slot, as do the streams back. No
//! script touches keys of both kinds. A lane cannot be taken for the namespace itself, since namespaces have no dots.

use std::fmt::Write;

/// The consumer group on every stream.
pub(super) const GROUP: &str = "kycc";

const PREFIX: &str = "kycc:v1";

/// Builds the keys of one namespace.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    namespace: String,
}

/// The two streams of a lane.
#[derive(Debug, Clone)]
pub(super) struct LaneKeys {
    /// For errors.
    pub(super) lane: String,
    pub(super) urgent: String,
    pub(super) tasks: String,
}

impl LaneKeys {
    pub(super) fn stream(&self, urgent: bool) -> &str {
        if urgent { &self.urgent } else { &self.tasks }
    }
}

impl Keys {
    /// `namespace` is of ASCII letters, digits, `-` and `_`; the address checks that.
    pub(super) fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
        }
    }

    pub(super) fn lane(&self, lane: &str) -> LaneKeys {
        let slot = format!("{PREFIX}:{{{}.{}}}", self.namespace, escaped(lane));
        LaneKeys {
            lane: lane.to_owned(),
            urgent: format!("{slot}:urgent"),
            tasks: format!("{slot}:tasks"),
        }
    }

    pub(super) fn results(&self) -> String {
        format!("{PREFIX}:{{{}}}:results", self.namespace)
    }

    pub(super) fn logs(&self) -> String {
        format!("{PREFIX}:{{{}}}:logs", self.namespace)
    }

    pub(super) fn cancelled(&self, task_id: &str) -> String {
        format!("{PREFIX}:{{{}}}:cancelled:{task_id}", self.namespace)
    }
}

/// A brace within the braces would end what is hashed, so a lane's odd characters stand as their code.
fn escaped(lane: &str) -> String {
    let mut escaped = String::with_capacity(lane.len());
    for byte in lane.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_as_they_are_drawn() {
        let keys = Keys::new("kycc");
        let lane = keys.lane("scoring");
        assert_eq!(lane.tasks, "kycc:v1:{kycc.scoring}:tasks");
        assert_eq!(lane.urgent, "kycc:v1:{kycc.scoring}:urgent");
        assert_eq!(keys.results(), "kycc:v1:{kycc}:results");
        assert_eq!(keys.logs(), "kycc:v1:{kycc}:logs");
        assert_eq!(keys.cancelled("t-1"), "kycc:v1:{kycc}:cancelled:t-1");
    }

    #[test]
    fn the_keys_of_an_odd_lane_still_share_their_slot() {
        let lane = Keys::new("kycc").lane("a}{b c%");
        assert_eq!(lane.tasks, "kycc:v1:{kycc.a%7D%7Bb%20c%25}:tasks");
        let slot = |key: &str| key[key.find('{').unwrap()..=key.find('}').unwrap()].to_owned();
        assert_eq!(slot(&lane.tasks), slot(&lane.urgent));
    }
}
