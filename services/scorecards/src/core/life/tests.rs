use super::*;
use crate::core::audit::SERVICE;
use crate::core::standing::Standing;
use crate::fixtures::{self, approve, report, request};
use kycc_audit::{Entry, Head};
use kycc_domain::gates::{GateReport, GateStatus};

fn version(status: Status, gates: Option<GateReport>) -> Version {
    Version {
        gates,
        standing: Standing::of(status),
        ..fixtures::version("1.0-a", 2.0, 0)
    }
}

fn of(status: Status) -> Version {
    let gates = match status {
        Status::Draft => None,
        Status::Failed => Some(report(GateStatus::Fail, false)),
        _ => Some(report(GateStatus::Pass, false)),
    };
    version(status, gates)
}

fn was_active() -> Version {
    let mut retired = of(Status::Retired);
    retired.standing.activated_at_micros = Some(1);
    retired
}

fn alone(target: &Version) -> Situation<'_> {
    Situation {
        target,
        active: None,
        shadow: None,
    }
}

fn refused(target: &Version, request: &Request) -> Refusal {
    decide(alone(target), request).unwrap_err()
}

#[test]
fn every_status_allows_its_own_changes_and_refuses_the_others_by_name() {
    let wishes = [
        Wish::Approve(Approval::default()),
        Wish::Reject,
        Wish::Activate,
        Wish::RollBack,
        Wish::Shadow,
    ];
    // `ok` happens, `so` is so already.
    let table = [
        (
            of(Status::Draft),
            ["NOT_JUDGED", "ok", "NOT_JUDGED", "NEVER_ACTIVE", "ok"],
        ),
        (
            of(Status::Gated),
            ["ok", "ok", "NOT_APPROVED", "NEVER_ACTIVE", "ok"],
        ),
        (
            of(Status::Failed),
            [
                "GATES_NOT_PASSED",
                "ok",
                "GATES_NOT_PASSED",
                "NEVER_ACTIVE",
                "ok",
            ],
        ),
        (
            of(Status::Approved),
            ["so", "ok", "ok", "NEVER_ACTIVE", "ok"],
        ),
        (
            of(Status::Active),
            ["so", "NOTHING_TO_REJECT", "so", "so", "NOT_A_CANDIDATE"],
        ),
        (
            of(Status::Retired),
            [
                "VERSION_REJECTED",
                "so",
                "VERSION_REJECTED",
                "NEVER_ACTIVE",
                "NOT_A_CANDIDATE",
            ],
        ),
        (
            was_active(),
            [
                "VERSION_RETIRED",
                "NOTHING_TO_REJECT",
                "VERSION_RETIRED",
                "ok",
                "NOT_A_CANDIDATE",
            ],
        ),
    ];
    for (target, expected) in table {
        let seen = wishes
            .clone()
            .map(|wish| match decide(alone(&target), &request(wish)) {
                Ok(deeds) if deeds.is_empty() => "so",
                Ok(_) => "ok",
                Err(refusal) => refusal.reason(),
            });
        assert_eq!(seen, expected, "{:?}", target.standing);
    }
}

#[test]
fn every_deed_is_one_that_the_log_accepts() {
    for status in Status::ALL {
        for wish in [
            Wish::Reject,
            Wish::Activate,
            Wish::RollBack,
            Wish::Shadow,
            Wish::Unshadow,
        ] {
            let mut target = of(status);
            target.standing.shadow = status.is_candidate() && wish == Wish::Unshadow;
            let Ok(deeds) = decide(alone(&target), &request(wish)) else {
                continue;
            };
            let mut standing = target.standing.clone();
            for deed in deeds {
                let entry = Entry::seal(SERVICE, &Head::genesis(), &deed.entry());
                standing = Standing::after(Some(&standing), &entry).unwrap();
            }
        }
    }
}

#[test]
fn a_failed_gate_stands_against_approval_and_activation_by_name() {
    for wish in [Wish::Approve(Approval::default()), Wish::Activate] {
        let refusal = refused(&of(Status::Failed), &request(wish));
        assert!(
            refusal.to_string().contains("CHAMPION (failed: why)"),
            "{refusal}"
        );
    }
}

#[test]
fn the_author_does_not_approve_but_on_a_machine_of_his_own() {
    let gated = of(Status::Gated);
    let by_ann = |allow_self_approval, identity_provider| Request {
        principal: "ann".into(),
        ..request(Wish::Approve(Approval {
            allow_self_approval,
            identity_provider,
            ..Approval::default()
        }))
    };
    assert_eq!(
        refused(&gated, &by_ann(false, false)).reason(),
        "SELF_APPROVAL"
    );
    assert_eq!(
        refused(&gated, &by_ann(true, true)).reason(),
        "SELF_APPROVAL"
    );
    let deeds = decide(alone(&gated), &by_ann(true, false)).unwrap();
    assert!(deeds[0].details.self_approved);
    let deeds = decide(alone(&gated), &approve()).unwrap();
    assert!(!deeds[0].details.self_approved);
}

#[test]
fn what_never_saw_a_default_is_not_approved() {
    let bootstrap = version(Status::Gated, Some(report(GateStatus::Pass, true)));
    assert_eq!(refused(&bootstrap, &approve()).reason(), "BOOTSTRAP_MODEL");
}

#[test]
fn a_gate_that_wants_a_note_gets_one_that_is_kept() {
    let gated = version(Status::Gated, Some(report(GateStatus::NeedsNote, false)));
    let with = |gate: &str, note: &str| {
        request(Wish::Approve(Approval {
            gate_notes: BTreeMap::from([(gate.into(), note.into())]),
            ..Approval::default()
        }))
    };
    let refusal = refused(&gated, &approve());
    assert_eq!(refusal.reason(), "GATE_NOTES_REQUIRED");
    assert!(refusal.to_string().contains("CHAMPION (why)"), "{refusal}");
    assert_eq!(
        refused(&gated, &with("CHAMPION", " ")).reason(),
        "GATE_NOTE_BLANK"
    );
    assert_eq!(
        refused(&gated, &with("CHAMPIN", "small")).reason(),
        "UNKNOWN_GATE"
    );
    let deeds = decide(alone(&gated), &with("CHAMPION", "small batch")).unwrap();
    assert_eq!(deeds[0].details.gate_notes["CHAMPION"], "small batch");
    // Nor is one that no gate wants.
    assert_eq!(
        refused(&of(Status::Gated), &with("CHAMPION", "")).reason(),
        "GATE_NOTE_BLANK"
    );
}

#[test]
fn a_stale_etag_is_refused_and_a_repeat_is_not() {
    let gated = of(Status::Gated);
    let stale = Request {
        etag: of(Status::Draft).etag(),
        ..approve()
    };
    assert_eq!(refused(&gated, &stale).reason(), "ETAG_MISMATCH");
    let fresh = Request {
        etag: gated.etag(),
        ..approve()
    };
    assert_eq!(decide(alone(&gated), &fresh).unwrap().len(), 1);
    assert_eq!(decide(alone(&of(Status::Approved)), &fresh).unwrap(), []);
}

#[test]
fn every_part_that_changes_changes_the_etag() {
    let start = of(Status::Gated);
    let changes: [fn(&mut Standing); 8] = [
        |s| s.status = Status::Approved,
        |s| s.approver = Some("bob".into()),
        |s| s.note = Some("why".into()),
        |s| s.gate_notes = BTreeMap::from([("IMPACT".into(), "small".into())]),
        |s| s.self_approved = true,
        |s| s.shadow = true,
        |s| s.activated_at_micros = Some(1),
        |s| s.revision = 1,
    ];
    for change in changes {
        let mut changed = start.clone();
        change(&mut changed.standing);
        assert_ne!(changed.etag(), start.etag(), "{:?}", changed.standing);
        assert!(changed.standing.difference(&start.standing).is_some());
    }
}

#[test]
fn a_change_without_a_reason_or_with_a_book_of_it_is_refused() {
    for reason in [" ö ".to_owned(), "a\0bc".to_owned(), "ö".repeat(4_001)] {
        let silent = Request {
            reason,
            ..approve()
        };
        // Also where it is so already.
        for status in [Status::Gated, Status::Approved] {
            assert_eq!(refused(&of(status), &silent).reason(), "REASON_REQUIRED");
        }
    }
}

#[test]
fn activating_leaves_the_shadow_and_retires_the_one_before() {
    let mut target = of(Status::Approved);
    target.standing.shadow = true;
    let active = of(Status::Active);
    target.parent = Some(active.name().to_owned());
    let now = Situation {
        target: &target,
        active: Some(&active),
        shadow: Some(&target),
    };
    let deeds = decide(now, &request(Wish::Activate)).unwrap();
    let actions: Vec<Action> = deeds.iter().map(|deed| deed.action).collect();
    assert_eq!(
        actions,
        [Action::Unshadow, Action::Retire, Action::Activate]
    );
}
