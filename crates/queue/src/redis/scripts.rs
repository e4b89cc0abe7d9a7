//! What runs within the server, where several steps must be one. Each script touches one stream, or the two of a lane.

use std::sync::LazyLock;

use redis::Script;

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("scripts/group.lua"),
                include_str!(concat!("scripts/", $file, ".lua"))
            ))
        });
    };
}

script!(
    /// Adds an entry where there is room.
    APPEND, "append");
script!(
    /// Adds log lines; the oldest fall away.
    APPEND_LINES, "append_lines");
script!(
    /// Gives waiting tasks to a consumer.
    TAKE, "take");
script!(
    /// Makes tasks of a consumer waiting ones again.
    GIVE_BACK, "give_back");
script!(
    /// Begins a lease anew.
    BEAT, "beat");
script!(
    /// Acknowledges and trims.
    ACK, "ack");
script!(
    /// Shows pending entries without beats.
    EXPIRED, "expired");
script!(
    /// Names all attempts that a stream holds.
    OUTSTANDING, "outstanding");
script!(
    /// Counts what a stream holds and who takes from it.
    REPORT, "report");
script!(
    /// Shows unacknowledged results.
    OLDEST, "oldest");
script!(
    /// Takes log lines away.
    TAKE_LINES, "take_lines");
