//! What the audit log says of calls: who asked for what, in which trace.

use kycc_audit::{Deed, Subject};
use kycc_runtime::Clock;
use serde_json::{Value, json};

use crate::store::RunFacts;

/// By whom something is done, and by which call.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: String,
    /// Empty: none.
    pub(crate) request_id: String,
}

/// `launch`, `retry` or `replay`, by what the run goes back to.
pub(super) fn of_new_run(
    facts: &RunFacts,
    replays: Option<&str>,
    assets: Value,
    request_id: &str,
) -> Deed {
    let action = match (replays, &facts.parent) {
        (Some(_), _) => "replay",
        (None, Some(_)) => "retry",
        (None, None) => "launch",
    };
    let mut details = json!({
        "job": facts.job,
        "batch_id": facts.batch.as_str(),
        "definitions_hash": facts.definitions_hash,
    });
    if facts.job.is_empty() {
        details["assets"] = assets;
    }
    if let Some(parent) = &facts.parent {
        details["parent_run_id"] = json!(parent.as_str());
    }
    if let Some(letter) = replays {
        details["dead_letter_id"] = json!(letter);
    }
    Deed {
        at_micros: facts.created_at,
        principal: facts.principal.clone(),
        action: action.to_owned(),
        subject: Subject::new("run", facts.run_id.as_str()),
        reason: String::new(),
        details,
        request_id: request_id.to_owned(),
        trace_id: kycc_telemetry::trace_id_of(&facts.traceparent).unwrap_or_default(),
    }
}

pub(crate) fn of_cancel(run_id: &str, caller: Caller, clock: &dyn Clock) -> Deed {
    deed(
        "cancel",
        Subject::new("run", run_id),
        json!({}),
        caller,
        clock,
    )
}

/// Definitions are no rows: every wish to read them again is told, with what is in force then. That they changed shows in
/// another hash than that of the entry before.
pub(super) fn of_reload(hash: &str, caller: Caller, clock: &dyn Clock) -> Deed {
    let subject = Subject::new("definitions", hash);
    deed("reload", subject, json!({}), caller, clock)
}

fn deed(action: &str, subject: Subject, details: Value, caller: Caller, clock: &dyn Clock) -> Deed {
    Deed {
        at_micros: clock.now_micros(),
        principal: caller.principal,
        action: action.to_owned(),
        subject,
        reason: String::new(),
        details,
        request_id: caller.request_id,
        trace_id: kycc_telemetry::current_trace_id(),
    }
}
