//! One version as people and programs see it.

use anyhow::Context;
use kycc_proto::scorecards::v1::{GateResult, ScorecardStatus, ScorecardVersion};
use serde_json::{Value, json};

use crate::args::Global;
use crate::show::{Table, json as show_json, text};

pub(super) fn status(version: &ScorecardVersion) -> String {
    version
        .status()
        .as_str_name()
        .trim_start_matches("SCORECARD_STATUS_")
        .to_lowercase()
}

pub(super) fn gate_summary(version: &ScorecardVersion) -> String {
    let with = |status: &str| {
        let gates = version.gates.iter().filter(|gate| gate.status == status);
        gates.map(|gate| gate.gate.as_str()).collect::<Vec<_>>()
    };
    let (failed, open, noted) = (with("fail"), with("not_evaluated"), with("needs_note"));
    if version.gates.is_empty() {
        "-".into()
    } else if !failed.is_empty() {
        format!("failed: {}", failed.join(" "))
    } else if !open.is_empty() {
        format!("not evaluated: {}", open.join(" "))
    } else if !noted.is_empty() {
        format!("{}, notes on {}", version.gates.len(), noted.join(" "))
    } else {
        format!("{}, none failed", version.gates.len())
    }
}

pub(super) fn show(global: &Global, version: Option<ScorecardVersion>) -> anyhow::Result<()> {
    let version = version.context("the server answered without a version")?;
    if global.json {
        show_json::print(&as_json(&version));
        return Ok(());
    }
    let shadow = if version.shadow {
        ", in the shadow of the active one"
    } else {
        ""
    };
    outln!(
        "scorecard {}  {}{shadow}  {}",
        version.version,
        status(&version),
        version.hash
    );
    outln!(
        "  author {}, created {}",
        version.author,
        text::time(version.create_time)
    );
    print_decision(&version);
    if version.activate_time.is_some() {
        let since = if version.status() == ScorecardStatus::Active {
            "active since"
        } else {
            "last activated"
        };
        outln!("  {since} {}", text::time(version.activate_time));
    }
    if version.bootstrap {
        outln!("  bootstrap: learned without an observed default, so it cannot be approved");
    }
    if !version.missing_link.is_empty() {
        outln!("  no probability of default: {}", version.missing_link);
    }
    outln!("  etag {}", version.etag);
    let mut table = Table::new(&["factor", "#weight", "scaling", "#max points"]);
    for factor in &version.factors {
        table.row([
            factor.feature.clone(),
            format!("{:.3}", factor.weight),
            factor.scaling.clone(),
            format!("{:.1}", factor.max_points),
        ]);
    }
    table.print("  no factors");
    print_gates(&version);
    Ok(())
}

/// Who decided about it, and why.
fn print_decision(version: &ScorecardVersion) {
    let rejected = version.status() == ScorecardStatus::Retired && version.activate_time.is_none();
    if !version.approver.is_empty() {
        let own = if version.self_approved {
            ", its author"
        } else {
            ""
        };
        let note = if rejected { "" } else { version.note.as_str() };
        outln!("  approved by {}{own}: {note}", version.approver);
    }
    if rejected {
        outln!("  rejected: {}", version.note);
    }
}

/// The gates of a draft with what they found, and what was said to it.
pub(super) fn print_gates(version: &ScorecardVersion) {
    if version.gates.is_empty() {
        return;
    }
    let mut table = Table::new(&["gate", "result", "finding", "note"]);
    for gate in &version.gates {
        let note = version.gate_notes.get(&gate.gate);
        table.row([
            gate.gate.clone(),
            gate.status.clone(),
            gate.message.clone(),
            note.cloned().unwrap_or_default(),
        ]);
    }
    table.print("");
}

/// Longest line of figures.
const WIDTH: usize = 100;

/// The figures behind the verdicts of its gates.
pub(super) fn print_numbers(version: &ScorecardVersion) {
    for gate in version.gates.iter().filter(|gate| !gate.numbers.is_empty()) {
        outln!("{}", gate.gate);
        for line in numbers(gate) {
            outln!("  {line}");
        }
    }
}

/// By name, as many on a line as fit.
fn numbers(gate: &GateResult) -> Vec<String> {
    let mut named: Vec<_> = gate.numbers.iter().collect();
    named.sort_by_key(|(name, _)| name.as_str());
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in named {
        // Chance is never ruled out.
        let number = if name == "p_value" && *value < 0.0001 {
            format!("{name}<0.0001")
        } else {
            format!("{name}={}", text::decimal(*value, 4))
        };
        match lines.last_mut() {
            Some(line) if line.len() + number.len() + 2 <= WIDTH => {
                line.push_str("  ");
                line.push_str(&number);
            }
            _ => lines.push(number),
        }
    }
    lines
}

pub(super) fn as_json(version: &ScorecardVersion) -> Value {
    let gates = version.gates.iter().map(|gate| {
        json!({"gate": gate.gate, "status": gate.status, "message": gate.message, "numbers": gate.numbers})
    });
    json!({
        "version": version.version,
        "hash": version.hash,
        "status": status(version),
        "author": version.author,
        "approver": version.approver,
        "note": version.note,
        "create_time": text::rfc3339(version.create_time),
        "activate_time": text::rfc3339(version.activate_time),
        "parent_version": version.parent_version,
        "model_id": version.model_id,
        "run_id": version.run_id,
        "blend": version.blend,
        "etag": version.etag,
        "bootstrap": version.bootstrap,
        "self_approved": version.self_approved,
        "shadow": version.shadow,
        "gate_notes": version.gate_notes,
        "missing_link": version.missing_link,
        "gates": gates.collect::<Vec<_>>(),
        "card": show_json::parsed(&version.card_json),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_p_value_is_not_shown_as_0() {
        let shown = |value| {
            numbers(&GateResult {
                numbers: [("p_value".to_owned(), value)].into(),
                ..GateResult::default()
            })
        };
        assert_eq!(shown(1e-30), ["p_value<0.0001"]);
        assert_eq!(shown(0.25), ["p_value=0.25"]);
    }
}
