//! The audit log, and whether it is intact.

use std::process::ExitCode;

use kycc_proto::scorecards::v1::{AuditEntry, ListAuditEntriesRequest, VerifyAuditRequest};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

/// Entries asked for at once.
const PAGE: i32 = 200;

pub(super) async fn list(
    connection: &Connection,
    global: &Global,
    version: String,
) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListAuditEntriesRequest {
            version: version.clone(),
            page_size: PAGE,
            page_token,
        };
        let answer = connection.scorecards().list_audit_entries(request).await;
        let page = answer.map_err(ClientError::from)?.into_inner();
        entries.extend(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if global.json {
        let entries: Vec<Value> = entries.iter().map(as_json).collect();
        show_json::print(&json!({"entries": entries}));
        return Ok(());
    }
    let mut table = Table::new(&["#no", "time", "who", "did", "version", "why", "hash"]);
    for entry in &entries {
        table.row([
            entry.sequence.to_string(),
            text::time(entry.create_time),
            entry.principal.clone(),
            did(entry),
            entry.version.clone(),
            entry.reason.clone(),
            entry.hash.get(..12).unwrap_or_default().to_owned(),
        ]);
    }
    table.print("nothing was done yet");
    Ok(())
}

/// What was done; that nobody else looked at it where an author approved his own work.
fn did(entry: &AuditEntry) -> String {
    match show_json::parsed(&entry.details_json)["self_approved"] {
        Value::Bool(true) => format!("{}, as its author", entry.action),
        _ => entry.action.clone(),
    }
}

/// Microseconds since 1970, as the log seals them.
fn micros(at: prost_types::Timestamp) -> i64 {
    at.seconds * 1_000_000 + i64::from(at.nanos) / 1_000
}

/// With everything that the entry's hash is worked out from, under the names that it is hashed with.
fn as_json(entry: &AuditEntry) -> Value {
    json!({
        "sequence": entry.sequence,
        "create_time": text::rfc3339(entry.create_time),
        "create_time_micros": entry.create_time.map(micros),
        "principal": entry.principal,
        "action": entry.action,
        "version": entry.version,
        "card_hash": entry.card_hash,
        "reason": entry.reason,
        "details": show_json::parsed(&entry.details_json),
        "details_json": entry.details_json,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    })
}

/// Exit code 1 where it is not.
pub(super) async fn verify(
    connection: &Connection,
    global: &Global,
    known: Option<String>,
) -> anyhow::Result<ExitCode> {
    let request = VerifyAuditRequest {
        known_hash: known.unwrap_or_default(),
    };
    let answer = connection.scorecards().verify_audit(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&json!({
            "intact": found.intact,
            "entries": found.entries,
            "head_hash": found.head_hash,
            "broken_sequence": found.broken_sequence,
            "message": found.message,
        }));
    } else if found.intact {
        outln!(
            "the audit log is intact: {} entries, and every version stands as they say",
            text::count(found.entries)
        );
        outln!("head {}", found.head_hash);
        outln!(
            "keep that hash outside; `--known` with it finds a log that was cut short or written anew"
        );
    }
    if found.intact {
        return Ok(ExitCode::SUCCESS);
    }
    let at = match found.broken_sequence {
        0 => String::new(),
        sequence => format!(" at entry {sequence}"),
    };
    eprintln!("error: the audit log is broken{at}: {}", found.message);
    Ok(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_of_ones_own_work_is_told_from_any_other() {
        let approval = |details: &str| AuditEntry {
            action: "approve".into(),
            details_json: details.into(),
            ..AuditEntry::default()
        };
        assert_eq!(
            did(&approval(r#"{"self_approved":true}"#)),
            "approve, as its author"
        );
        assert_eq!(did(&approval("{}")), "approve");
    }

    #[test]
    fn a_time_is_a_whole_number_of_microseconds() {
        let at = prost_types::Timestamp {
            seconds: 2,
            nanos: 345_678_000,
        };
        assert_eq!(micros(at), 2_345_678);
    }
}
