//! Whether a version may become the active one, and if not, what stands against it.

use kycc_domain::gates::GateStatus;

use super::version::{Status, Version};

/// Shortest reason that says something.
const LEAST_REASON: usize = 3;

/// Who wants it, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Approval<'a> {
    pub(crate) principal: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) allow_self_approval: bool,
}

/// What stands against it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "an approval needs a reason of at least 3 characters; say why version {version} is to decide"
    )]
    NoReason { version: String },
    #[error("version {version} cannot be activated: gates that stand against it are {gates}")]
    Gates { version: String, gates: String },
    #[error("version {version} has not been judged by the gates")]
    NotJudged { version: String },
    #[error(
        "version {version} learned without an observed default, so it can be looked at but not activated"
    )]
    Bootstrap { version: String },
    #[error(
        "{principal} is the author of version {version}; another person must approve it (on a machine of one's own, \
         --allow-self-approval lets it pass and is kept with the approval)"
    )]
    OwnWork { version: String, principal: String },
}

impl Refusal {
    /// Stable, UPPER_SNAKE.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoReason { .. } => "APPROVAL_REASON_REQUIRED",
            Self::Gates { .. } => "GATES_NOT_PASSED",
            Self::NotJudged { .. } => "NOT_JUDGED",
            Self::Bootstrap { .. } => "BOOTSTRAP_MODEL",
            Self::OwnWork { .. } => "SELF_APPROVAL",
        }
    }
}

/// Says whether it was approved by its own author. A version that has been active before needs no new judgement.
pub(crate) fn check(version: &Version, approval: Approval<'_>) -> Result<bool, Refusal> {
    let name = version.card.version().to_owned();
    if approval.reason.trim().len() < LEAST_REASON {
        return Err(Refusal::NoReason { version: name });
    }
    if matches!(version.status, Status::Active | Status::Retired) {
        return Ok(version.self_approved);
    }
    let Some(report) = &version.gates else {
        return Err(Refusal::NotJudged { version: name });
    };
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
            format!("{} ({verdict}: {})", gate_name(gate.gate), gate.message)
        })
        .collect();
    if !against.is_empty() {
        return Err(Refusal::Gates {
            version: name,
            gates: against.join("; "),
        });
    }
    if !report.activatable {
        return Err(Refusal::Bootstrap { version: name });
    }
    let own = version.author == approval.principal;
    if own && !approval.allow_self_approval {
        return Err(Refusal::OwnWork {
            version: name,
            principal: approval.principal.to_owned(),
        });
    }
    Ok(own)
}

/// `CIRCULAR_LABELS`.
pub(crate) fn gate_name(gate: kycc_domain::gates::Gate) -> String {
    let named = serde_json::to_value(gate).ok();
    named
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::expert::expert_card;
    use kycc_domain::gates::{Gate, GateReport, GateResult, Impact, Verdict};

    fn report(status: GateStatus, activatable: bool) -> GateReport {
        let impact = Impact {
            parties: 1,
            ..Impact::default()
        };
        let gate = GateResult {
            gate: Gate::CircularLabels,
            status,
            numbers: vec![],
            message: "why".into(),
        };
        let verdict = if status.passes() {
            Verdict::Gated
        } else {
            Verdict::Failed
        };
        GateReport {
            gates: vec![gate],
            verdict,
            bootstrap: !activatable,
            activatable,
            impact,
        }
    }

    fn version(status: Status, gates: Option<GateReport>) -> Version {
        Version {
            card: expert_card(),
            status,
            gates,
            author: "ann".into(),
            approver: None,
            note: None,
            self_approved: false,
            parent: None,
            model_id: None,
            run_id: None,
            blend: 0.5,
            created_at_micros: 0,
            activated_at_micros: None,
        }
    }

    fn by(principal: &str, allow_self_approval: bool) -> Approval<'_> {
        Approval {
            principal,
            reason: "better on every gate",
            allow_self_approval,
        }
    }

    #[test]
    fn a_failed_gate_stands_against_it_by_name() {
        let refused = check(
            &version(Status::Failed, Some(report(GateStatus::Fail, false))),
            by("bob", true),
        );
        let refusal = refused.unwrap_err();
        assert_eq!(refusal.reason(), "GATES_NOT_PASSED");
        assert!(
            refusal
                .to_string()
                .contains("CIRCULAR_LABELS (failed: why)"),
            "{refusal}"
        );
    }

    #[test]
    fn the_author_does_not_approve_but_on_his_own_machine() {
        let gated = version(Status::Gated, Some(report(GateStatus::Pass, true)));
        assert_eq!(
            check(&gated, by("ann", false)).unwrap_err().reason(),
            "SELF_APPROVAL"
        );
        assert_eq!(check(&gated, by("ann", true)), Ok(true));
        assert_eq!(check(&gated, by("bob", false)), Ok(false));
    }

    #[test]
    fn what_was_never_judged_or_never_saw_a_default_stays_inactive() {
        assert_eq!(
            check(&version(Status::Draft, None), by("bob", true))
                .unwrap_err()
                .reason(),
            "NOT_JUDGED"
        );
        let bootstrap = version(Status::Gated, Some(report(GateStatus::Pass, false)));
        assert_eq!(
            check(&bootstrap, by("bob", true)).unwrap_err().reason(),
            "BOOTSTRAP_MODEL"
        );
    }

    #[test]
    fn rolling_back_needs_a_reason_and_nothing_else() {
        let retired = version(Status::Retired, None);
        assert_eq!(check(&retired, by("ann", false)), Ok(false));
        let silent = Approval {
            reason: " ",
            ..by("bob", false)
        };
        assert_eq!(
            check(&retired, silent).unwrap_err().reason(),
            "APPROVAL_REASON_REQUIRED"
        );
    }

    #[test]
    fn every_status_is_found_by_its_name() {
        assert!(
            Status::ALL
                .into_iter()
                .all(|status| Status::named(status.as_str()) == Some(status))
        );
        assert_eq!(Status::named("approved"), None);
    }
}
