//! `kycc audit …`: the log of who did what, and whether it is intact.

use std::process::ExitCode;

use kycc_proto::audit::v1::{
    AuditEntry, ListAuditChainsRequest, ListAuditEntriesRequest, VerifyAuditRequest,
    VerifyAuditResponse,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::{AuditCommand, Global};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

/// Entries asked for at once.
const PAGE: usize = 500;

pub(crate) async fn run(global: &Global, command: AuditCommand) -> anyhow::Result<ExitCode> {
    let connection = Connection::for_reading(global).await?;
    let outcome = match command {
        AuditCommand::List {
            service,
            subject,
            principal,
            action,
            since,
            until,
            oldest_first,
            limit,
        } => {
            let asked = ListAuditEntriesRequest {
                service: service.unwrap_or_default(),
                subject: subject.unwrap_or_default(),
                principal: principal.unwrap_or_default(),
                action: action.unwrap_or_default(),
                start_time: since.as_deref().map(time).transpose()?,
                end_time: until.as_deref().map(time).transpose()?,
                newest_first: !oldest_first,
                ..ListAuditEntriesRequest::default()
            };
            let listed = list(&connection, global, asked, limit).await;
            listed.map(|()| ExitCode::SUCCESS)
        }
        AuditCommand::Verify { service, known } => {
            verify(&connection, global, service, known.unwrap_or_default()).await
        }
    };
    connection.close().await;
    outcome
}

fn time(text: &str) -> anyhow::Result<prost_types::Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text).map_err(|error| {
        anyhow::anyhow!("{text:?} is no time such as 2026-01-31T08:00:00Z: {error}")
    })?;
    Ok(kycc_rpc::timestamp(at.timestamp_micros()))
}

async fn list(
    connection: &Connection,
    global: &Global,
    asked: ListAuditEntriesRequest,
    limit: usize,
) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    let mut page_token = String::new();
    while entries.len() < limit {
        let request = ListAuditEntriesRequest {
            page_size: i32::try_from((limit - entries.len()).min(PAGE)).unwrap_or(i32::MAX),
            page_token,
            ..asked.clone()
        };
        let answer = connection.audit().list_audit_entries(request).await;
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
    let mut table = Table::new(&["service", "#no", "time", "who", "did", "to", "why", "trace"]);
    for entry in &entries {
        table.row([
            entry.service.clone(),
            entry.sequence.to_string(),
            text::time(entry.create_time),
            entry.principal.clone(),
            did(entry),
            entry.subject.clone(),
            entry.reason.clone(),
            entry.trace_id.get(..12).unwrap_or_default().to_owned(),
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
        "service": entry.service,
        "sequence": entry.sequence,
        "create_time": text::rfc3339(entry.create_time),
        "create_time_micros": entry.create_time.map(micros),
        "principal": entry.principal,
        "action": entry.action,
        "subject": entry.subject,
        "reason": entry.reason,
        "details": show_json::parsed(&entry.details_json),
        "details_json": entry.details_json,
        "request_id": entry.request_id,
        "trace_id": entry.trace_id,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    })
}

/// Exit code 1 where a chain is not intact.
async fn verify(
    connection: &Connection,
    global: &Global,
    service: Option<String>,
    known: String,
) -> anyhow::Result<ExitCode> {
    let services = match service {
        Some(service) => vec![service],
        None => {
            let answer = connection
                .audit()
                .list_audit_chains(ListAuditChainsRequest {})
                .await;
            let chains = answer.map_err(ClientError::from)?.into_inner().chains;
            chains.into_iter().map(|chain| chain.service).collect()
        }
    };
    let mut found = Vec::with_capacity(services.len());
    for service in services {
        let answer = verify_chain(connection, &service, &known).await?;
        found.push((service, answer));
    }
    let intact = found.iter().all(|(_, chain)| chain.intact);
    if global.json {
        let chains: Vec<Value> = found.iter().map(chain_json).collect();
        show_json::print(&json!({"intact": intact, "chains": chains}));
    }
    for (service, chain) in &found {
        if !chain.intact {
            let at = match chain.broken_sequence {
                0 => String::new(),
                sequence => format!(" at entry {sequence}"),
            };
            eprintln!(
                "error: the audit log of {service} is broken{at}: {}",
                chain.message
            );
        } else if !global.json {
            let entries = text::count(chain.entries);
            outln!("the audit log of {service} is intact: {entries} entries");
            outln!("head {}", chain.head_hash);
        }
    }
    if !intact {
        return Ok(ExitCode::FAILURE);
    }
    if !global.json {
        outln!(
            "keep the heads outside; `--known` with one finds a log that was cut short or written anew"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn chain_json((service, chain): &(String, VerifyAuditResponse)) -> Value {
    json!({
        "service": service,
        "intact": chain.intact,
        "entries": chain.entries,
        "head_hash": chain.head_hash,
        "broken_sequence": chain.broken_sequence,
        "message": chain.message,
    })
}

/// Page by page to its end, or to the first thing that does not fit.
async fn verify_chain(
    connection: &Connection,
    service: &str,
    known: &str,
) -> anyhow::Result<VerifyAuditResponse> {
    let mut page_token = String::new();
    loop {
        let request = VerifyAuditRequest {
            service: service.to_owned(),
            known_hash: known.to_owned(),
            page_size: 0,
            page_token,
        };
        let answer = connection.audit().verify_audit(request).await;
        let answer = answer.map_err(ClientError::from)?.into_inner();
        if answer.next_page_token.is_empty() {
            return Ok(answer);
        }
        page_token = answer.next_page_token;
    }
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
        assert_eq!(time("1970-01-01T00:00:02.345678Z").unwrap(), at);
        assert!(
            time("yesterday")
                .unwrap_err()
                .to_string()
                .contains("yesterday")
        );
    }
}
