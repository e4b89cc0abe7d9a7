//! Names of entries, and what stands in them.

use prost::Message;
use redis::Value;
use redis::streams::StreamId;

use crate::{EntryId, QueueError};

pub(super) const TASK: &str = "task";
/// Beside the payload, so that the server can name what it holds without decoding it.
pub(super) const TASK_ID: &str = "id";
pub(super) const ATTEMPT: &str = "attempt";
pub(super) const RESULT: &str = "result";
/// Added to what is shown of a pending entry.
pub(super) const HOLDER: &str = "holder";
/// `append_lines.lua` writes it.
pub(super) const LINE: &str = "line";

/// An entry of a lane, written as `<stream>:<id>:<task>`: who beats finds the mark of a cancelled task without reading
/// the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneEntry<'a> {
    pub(super) urgent: bool,
    pub(super) id: &'a str,
    pub(super) task_id: &'a str,
}

impl<'a> LaneEntry<'a> {
    /// None for what this queue never named.
    pub(super) fn parse(entry: &'a EntryId) -> Option<Self> {
        let mut parts = entry.0.splitn(3, ':');
        let urgent = match parts.next()? {
            "urgent" => true,
            "tasks" => false,
            _ => return None,
        };
        let id = parts.next()?;
        order(id)?;
        let task_id = parts.next()?;
        Some(Self {
            urgent,
            id,
            task_id,
        })
    }

    pub(super) fn name(self) -> EntryId {
        let stream = if self.urgent { "urgent" } else { "tasks" };
        EntryId(format!("{stream}:{}:{}", self.id, self.task_id))
    }
}

/// Ids of entries are times and numbers, in order of both.
pub(super) fn order(id: &str) -> Option<(u64, u64)> {
    let (ms, number) = id.split_once('-')?;
    Some((ms.parse().ok()?, number.parse().ok()?))
}

pub(super) fn decode<M: Message + Default>(
    stream: &str,
    entry: &StreamId,
    field: &str,
) -> Result<M, QueueError> {
    let bytes = match entry.map.get(field) {
        Some(Value::BulkString(bytes)) => bytes.as_slice(),
        // Some other program's entry: no message has this in front.
        _ => &[0xff],
    };
    M::decode(bytes).map_err(|source| QueueError::Undecodable {
        stream: stream.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_whatever_the_task_is_called() {
        for (urgent, task_id) in [(true, "a:b"), (false, "")] {
            let entry = LaneEntry {
                urgent,
                id: "1700000000000-3",
                task_id,
            };
            assert_eq!(LaneEntry::parse(&entry.name()), Some(entry));
        }
        for foreign in ["", "7", "tasks:7:a", "logs:1-1:a", "tasks:1-1"] {
            let name = EntryId(foreign.to_owned());
            assert_eq!(LaneEntry::parse(&name), None, "{foreign}");
        }
    }

    #[test]
    fn what_another_program_wrote_is_no_message() {
        let entry = StreamId::default();
        let decoded = decode::<kycc_proto::work::v1::Task>("lane", &entry, TASK);
        assert!(matches!(decoded, Err(QueueError::Undecodable { .. })));
    }
}
