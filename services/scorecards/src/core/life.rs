//! What may happen to a version next, and if not, what stands against it and what to do.
//!
//! What is so already needs no etag: a request may be repeated until its answer arrives.

mod approval;
mod refusal;

use std::ops::RangeInclusive;

use std::collections::BTreeMap;

pub(crate) use refusal::Refusal;

use super::audit::{Action, Deed, Details};
use super::version::{Status, Version};

/// Characters of a reason, or of a note on a gate: enough to say something, few enough to be kept for ever.
const REASON: RangeInclusive<usize> = 3..=4_000;

/// What somebody wants to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    Approve(Approval),
    Reject,
    Activate,
    RollBack,
    Shadow,
    Unshadow,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Approval {
    /// By gate, for those that want one.
    pub(crate) gate_notes: BTreeMap<String, String>,
    pub(crate) allow_self_approval: bool,
    /// Callers are known by more than the machine that they call from; nobody approves his own work then.
    pub(crate) identity_provider: bool,
}

impl Wish {
    /// Of the entry that it makes about the version it means.
    pub(crate) fn action(&self) -> Action {
        match self {
            Self::Approve(_) => Action::Approve,
            Self::Reject => Action::Reject,
            Self::Activate => Action::Activate,
            Self::RollBack => Action::RollBack,
            Self::Shadow => Action::Shadow,
            Self::Unshadow => Action::Unshadow,
        }
    }
}

/// Who wants it, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) wish: Wish,
    pub(crate) principal: String,
    pub(crate) reason: String,
    /// Of the version as the caller saw it; empty: whatever stands.
    pub(crate) etag: String,
    /// Empty: none.
    pub(crate) request_id: String,
    /// Of the call; empty: it was in no trace.
    pub(crate) trace_id: String,
    pub(crate) at_micros: i64,
}

/// The versions that a change can touch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) target: &'a Version,
    pub(crate) active: Option<&'a Version>,
    pub(crate) shadow: Option<&'a Version>,
}

/// The deeds that make it so, in order; none where it is so already.
pub(crate) fn decide(now: Situation<'_>, request: &Request) -> Result<Vec<Deed>, Refusal> {
    let target = now.target;
    let version = || target.name().to_owned();
    check_reason(request)?;
    if is_so(&request.wish, target) {
        return Ok(Vec::new());
    }
    if !request.etag.is_empty() && request.etag != target.etag() {
        return Err(Refusal::Changed { version: version() });
    }
    let mut deeds = Vec::new();
    let mut details = Details::default();
    match &request.wish {
        Wish::Approve(approval) => {
            details.self_approved = approval::check(now, &request.principal, approval)?;
            details.gate_notes.clone_from(&approval.gate_notes);
        }
        Wish::Reject => {
            check_rejection(target)?;
            deeds.extend(leave_shadow(target, request));
        }
        Wish::Activate | Wish::RollBack => {
            if request.wish == Wish::Activate {
                check_activation(now)?;
            } else if !target.standing.was_active() {
                return Err(Refusal::NeverActive {
                    version: version(),
                    status: target.status(),
                });
            }
            deeds.extend(leave_shadow(target, request));
            if let Some(active) = now.active {
                deeds.push(deed(active, Action::Retire, request, other(target)));
                details.other_version = Some(active.name().to_owned());
            }
        }
        Wish::Shadow => {
            if !target.status().is_candidate() {
                return Err(Refusal::NoCandidate {
                    version: version(),
                    status: target.status(),
                });
            }
            if let Some(before) = now.shadow {
                deeds.push(deed(before, Action::Unshadow, request, other(target)));
                details.other_version = Some(before.name().to_owned());
            }
        }
        Wish::Unshadow => {}
    }
    deeds.push(Deed {
        request_id: request.request_id.clone(),
        ..deed(target, request.wish.action(), request, details)
    });
    Ok(deeds)
}

fn is_so(wish: &Wish, target: &Version) -> bool {
    let status = target.status();
    match wish {
        Wish::Approve(_) => matches!(status, Status::Approved | Status::Active),
        Wish::Reject => status == Status::Retired && !target.standing.was_active(),
        Wish::Activate | Wish::RollBack => status == Status::Active,
        Wish::Shadow => target.standing.shadow,
        Wish::Unshadow => !target.standing.shadow,
    }
}

fn check_rejection(target: &Version) -> Result<(), Refusal> {
    match target.status() {
        Status::Active | Status::Retired => Err(Refusal::Decided {
            version: target.name().to_owned(),
            status: target.status(),
        }),
        _ => Ok(()),
    }
}

/// Whoever changes something says why, also where it is so already.
pub(crate) fn check_reason(request: &Request) -> Result<(), Refusal> {
    if says_something(&request.reason) {
        Ok(())
    } else {
        Err(Refusal::NoReason)
    }
}

/// Gates compare with the card that was active then; a verdict against another one says nothing of the present one.
fn check_champion(now: Situation<'_>) -> Result<(), Refusal> {
    let Some(active) = now.active else {
        return Ok(());
    };
    match &now.target.parent {
        Some(champion) if champion != active.name() => Err(Refusal::ChampionChanged {
            version: now.target.name().to_owned(),
            champion: champion.clone(),
            active: active.name().to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_activation(now: Situation<'_>) -> Result<(), Refusal> {
    let target = now.target;
    let version = target.name().to_owned();
    match target.status() {
        Status::Approved | Status::Active => check_champion(now),
        Status::Retired if target.standing.was_active() => Err(Refusal::WasActive { version }),
        Status::Retired => Err(Refusal::Rejected { version }),
        // What stands against its approval says more than that it lacks one.
        Status::Draft | Status::Gated | Status::Failed => {
            approval::check_gates(target)?;
            Err(Refusal::NotApproved { version })
        }
    }
}

/// What becomes active, or is closed, is nobody's shadow any more.
fn leave_shadow(target: &Version, request: &Request) -> Option<Deed> {
    let shadows = target.standing.shadow;
    shadows.then(|| deed(target, Action::Unshadow, request, Details::default()))
}

fn other(version: &Version) -> Details {
    Details {
        other_version: Some(version.name().to_owned()),
        ..Details::default()
    }
}

fn deed(version: &Version, action: Action, request: &Request, details: Details) -> Deed {
    Deed {
        at_micros: request.at_micros,
        principal: request.principal.clone(),
        action,
        version: version.name().to_owned(),
        reason: request.reason.clone(),
        details: Details {
            card_hash: version.card.hash().to_string(),
            ..details
        },
        request_id: String::new(),
        trace_id: request.trace_id.clone(),
    }
}

pub(crate) fn says_something(text: &str) -> bool {
    REASON.contains(&text.trim().chars().count()) && !text.contains('\0')
}

#[cfg(test)]
mod tests;
