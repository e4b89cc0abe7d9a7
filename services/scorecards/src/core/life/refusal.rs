//! Why something does not happen to a version, and what to do instead.

use crate::core::version::Status;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "a change of a scorecard version needs a reason of 3 to 4,000 characters; say why it is to happen"
    )]
    NoReason,
    #[error(
        "version {version} has changed since its etag was given out; look at it again (`kycc scorecard show {version}`), \
         then decide again"
    )]
    Changed { version: String },
    #[error(
        "version {version} can be neither approved nor activated: gates that stand against it are {gates}"
    )]
    Gates { version: String, gates: String },
    #[error("version {version} has not been judged by the gates; refine it from a model")]
    NotJudged { version: String },
    #[error(
        "version {version} learned without an observed default, so it can be looked at but not approved; record outcomes \
         and train again"
    )]
    Bootstrap { version: String },
    #[error(
        "gates of version {version} that want a note are {gates}; give each one with --note GATE=\"why it may pass\""
    )]
    NotesMissing { version: String, gates: String },
    #[error(
        "version {version} was judged against {champion}, but {active} decides now; train and refine again"
    )]
    ChampionChanged {
        version: String,
        champion: String,
        active: String,
    },
    #[error(
        "the note on gate {gate} of version {version} is not of 3 to 4,000 characters; say why it may pass"
    )]
    BlankNote { version: String, gate: String },
    #[error("version {version} was judged by no gate called {gate:?}")]
    UnknownGate { version: String, gate: String },
    #[error("{principal} is the author of version {version}; another person must approve it")]
    OwnWork { version: String, principal: String },
    #[error(
        "{principal} is the author of version {version}; another person must approve it (on a machine of one's own, \
         --allow-self-approval lets it pass and is kept with the approval)"
    )]
    OwnWorkHere { version: String, principal: String },
    #[error(
        "version {version} passed its gates but nobody has approved it; approve it first: \
         `kycc scorecard approve {version} --reason …`"
    )]
    NotApproved { version: String },
    #[error(
        "version {version} was active once and is retired; make it active again with `kycc scorecard rollback {version}`"
    )]
    WasActive { version: String },
    #[error("version {version} was rejected and stays so; refine another one")]
    Rejected { version: String },
    #[error(
        "version {version} is {}, so there is nothing to reject; activate another one, or roll back, to replace an active \
         one", status.as_str()
    )]
    Decided { version: String, status: Status },
    #[error(
        "version {version} is {} and was never active, so there is nothing to roll back to; see `kycc scorecard list` for \
         versions that were", status.as_str()
    )]
    NeverActive { version: String, status: Status },
    #[error(
        "version {active} became active by a rollback itself, so \"the one before\" would undo it; name the version to roll \
         back to: {others}"
    )]
    RolledBack { active: String, others: String },
    #[error("no version was active before the present one, so there is nothing to roll back to")]
    NoneBefore,
    #[error(
        "version {version} is {}, so it cannot score in the shadow of the active one; name a candidate: draft, gated, \
         failed or approved", status.as_str()
    )]
    NoCandidate { version: String, status: Status },
    #[error(
        "request {request_id:?} already asked for something else; give every change a request id of its own"
    )]
    RequestReused { request_id: String },
}

impl Refusal {
    /// Stable, UPPER_SNAKE.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::NoReason => "REASON_REQUIRED",
            Self::Changed { .. } => "ETAG_MISMATCH",
            Self::Gates { .. } => "GATES_NOT_PASSED",
            Self::NotJudged { .. } => "NOT_JUDGED",
            Self::Bootstrap { .. } => "BOOTSTRAP_MODEL",
            Self::ChampionChanged { .. } => "CHAMPION_CHANGED",
            Self::BlankNote { .. } => "GATE_NOTE_BLANK",
            Self::RolledBack { .. } => "VERSION_REQUIRED",
            Self::NotesMissing { .. } => "GATE_NOTES_REQUIRED",
            Self::UnknownGate { .. } => "UNKNOWN_GATE",
            Self::OwnWork { .. } | Self::OwnWorkHere { .. } => "SELF_APPROVAL",
            Self::NotApproved { .. } => "NOT_APPROVED",
            Self::WasActive { .. } => "VERSION_RETIRED",
            Self::Rejected { .. } => "VERSION_REJECTED",
            Self::Decided { .. } => "NOTHING_TO_REJECT",
            Self::NeverActive { .. } | Self::NoneBefore => "NEVER_ACTIVE",
            Self::NoCandidate { .. } => "NOT_A_CANDIDATE",
            Self::RequestReused { .. } => "REQUEST_ID_REUSED",
        }
    }
}
