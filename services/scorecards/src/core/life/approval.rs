//! Whether a version may be approved: by its gates, by the notes on them, by who approves.

use kycc_domain::gates::{GateReport, GateStatus};

use super::{Approval, Refusal, Situation, check_champion, says_something};
use crate::core::version::{Status, Version};

/// Says whether its own author approves it.
pub(super) fn check(
    now: Situation<'_>,
    principal: &str,
    approval: &Approval,
) -> Result<bool, Refusal> {
    let version = now.target;
    let name = || version.name().to_owned();
    if version.status() == Status::Retired {
        return Err(if version.standing.was_active() {
            Refusal::WasActive { version: name() }
        } else {
            Refusal::Rejected { version: name() }
        });
    }
    let report = check_gates(version)?;
    check_champion(now)?;
    let unknown = approval.gate_notes.keys().find(|gate| {
        let known = |result: &kycc_domain::gates::GateResult| result.gate.name() == **gate;
        !report.gates.iter().any(known)
    });
    if let Some(gate) = unknown {
        return Err(Refusal::UnknownGate {
            version: name(),
            gate: gate.clone(),
        });
    }
    let blank = |(_, note): &(&String, &String)| !says_something(note);
    if let Some((gate, _)) = approval.gate_notes.iter().find(blank) {
        return Err(Refusal::BlankNote {
            version: name(),
            gate: gate.clone(),
        });
    }
    let missing: Vec<String> = report
        .gates
        .iter()
        .filter(|gate| gate.status == GateStatus::NeedsNote)
        .map(|gate| (gate.gate.name(), &gate.message))
        .filter(|(gate, _)| !approval.gate_notes.contains_key(*gate))
        .map(|(gate, message)| format!("{gate} ({message})"))
        .collect();
    if !missing.is_empty() {
        return Err(Refusal::NotesMissing {
            version: name(),
            gates: missing.join("; "),
        });
    }
    let own = version.author == principal;
    if own && approval.identity_provider {
        return Err(Refusal::OwnWork {
            version: name(),
            principal: principal.to_owned(),
        });
    }
    if own && !approval.allow_self_approval {
        return Err(Refusal::OwnWorkHere {
            version: name(),
            principal: principal.to_owned(),
        });
    }
    Ok(own)
}

/// The report, if every gate lets the version through, notes permitting.
pub(super) fn check_gates(version: &Version) -> Result<&GateReport, Refusal> {
    let name = || version.name().to_owned();
    let report = version
        .gates
        .as_ref()
        .ok_or_else(|| Refusal::NotJudged { version: name() })?;
    let against: Vec<String> = report
        .gates
        .iter()
        .filter(|gate| !gate.status.passes())
        .map(|gate| {
            let verdict = if gate.status == GateStatus::Fail {
                "failed"
            } else {
                "not evaluated"
            };
            format!("{} ({verdict}: {})", gate.gate.name(), gate.message)
        })
        .collect();
    if !against.is_empty() {
        return Err(Refusal::Gates {
            version: name(),
            gates: against.join("; "),
        });
    }
    if !report.activatable {
        return Err(Refusal::Bootstrap { version: name() });
    }
    Ok(report)
}
