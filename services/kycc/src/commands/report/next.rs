//! What a person does next with a draft, in words; and why a batch has none.

use kycc_proto::scorecards::v1::{ScorecardStatus, ScorecardVersion};

/// Lines.
pub(super) fn of(draft: &ScorecardVersion, active: &str) -> Vec<String> {
    let version = &draft.version;
    let activate = format!("kycc scorecard activate {version} --reason …");
    match draft.status() {
        ScorecardStatus::Active => vec!["It is the active one.".into()],
        ScorecardStatus::Retired => vec!["It is retired.".into()],
        ScorecardStatus::Gated if draft.bootstrap => vec![
            "It learned without an observed default, so it cannot be approved: record outcomes and train again."
                .into(),
        ],
        ScorecardStatus::Gated | ScorecardStatus::Approved if draft.parent_version != active => {
            vec![format!(
                "It was judged against {}, but {active} decides now: train and refine again.",
                draft.parent_version
            )]
        }
        ScorecardStatus::Approved => vec![format!("It is approved and can be activated: {activate}")],
        ScorecardStatus::Gated => vec![
            "A person other than its author approves it, then it can be activated:".into(),
            format!("  kycc scorecard approve {version} --reason …{}", notes(draft)),
            format!("  {activate}"),
        ],
        _ => vec!["It stays a draft: the gates above stand against it.".into()],
    }
}

/// For each gate that wants one.
fn notes(draft: &ScorecardVersion) -> String {
    let wanting = draft
        .gates
        .iter()
        .filter(|gate| gate.status == "needs_note");
    wanting
        .map(|gate| format!(" --note {}=\"why it may pass\"", gate.gate))
        .collect()
}

/// Why there is no draft of `batch`, and whether another one is shown in its place.
pub(super) fn without(batch: &str, why: Option<&str>, another: bool) -> String {
    let reason = match why {
        Some(why) => format!("No draft came of {batch}: {}.", why.trim_end_matches('.')),
        None => format!("No scorecard has been refined for {batch} yet."),
    };
    if another {
        format!("{reason} What follows is the newest draft, made of other batches.")
    } else {
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_proto::scorecards::v1::GateResult;

    fn draft(status: ScorecardStatus) -> ScorecardVersion {
        ScorecardVersion {
            version: "1.0-a".into(),
            parent_version: "1.0".into(),
            status: status.into(),
            gates: vec![GateResult {
                gate: "IMPACT".into(),
                status: "needs_note".into(),
                ..GateResult::default()
            }],
            ..ScorecardVersion::default()
        }
    }

    #[test]
    fn a_gated_draft_is_approved_with_the_notes_that_gates_want_and_then_activated() {
        let lines = of(&draft(ScorecardStatus::Gated), "1.0");
        assert_eq!(
            lines[1],
            "  kycc scorecard approve 1.0-a --reason … --note IMPACT=\"why it may pass\""
        );
        assert_eq!(lines[2], "  kycc scorecard activate 1.0-a --reason …");
        let approved = of(&draft(ScorecardStatus::Approved), "1.0");
        assert!(!approved[0].contains("approve "), "{approved:?}");
    }

    #[test]
    fn a_draft_that_cannot_be_approved_says_why_instead() {
        let replaced = of(&draft(ScorecardStatus::Gated), "1.0-b");
        assert!(
            replaced[0].contains("but 1.0-b decides now"),
            "{replaced:?}"
        );
        let bootstrap = ScorecardVersion {
            bootstrap: true,
            ..draft(ScorecardStatus::Gated)
        };
        assert!(of(&bootstrap, "1.0")[0].contains("cannot be approved"));
    }

    #[test]
    fn another_batchs_draft_is_marked_as_such() {
        let text = without("B2", Some("it has 3 bads"), true);
        assert_eq!(
            text,
            "No draft came of B2: it has 3 bads. What follows is the newest draft, made of other batches."
        );
        assert!(!without("B2", None, false).contains("other batches"));
    }
}
