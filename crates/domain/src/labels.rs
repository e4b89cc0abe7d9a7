//! Labels: what became of a party, observed where it was, and assumed from the scorecard where a policy asks for that.
//!
//! A row is (party, t0 = the score's as-of). Parties are positions in `party_id` order; times are microseconds in UTC.
//! Observed always wins, and no randomness decides anything.

mod assemble;
mod observed;
mod scorecard;

pub use assemble::{LabelRow, LabelStatistics, Labelled, label_batch, scorecard_weight};
pub use observed::{Observation, Observed, Origin, OutcomeEvent, OutcomeKind};
pub use scorecard::{bad_count, lowest_scored};

use crate::canonical::{canonical_json, sha256_hex};
use crate::ids::Digest;
use serde::{Deserialize, Serialize};

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Good,
    Bad,
    /// 31 to 90 days past due: reported, never trained on.
    Indeterminate,
    /// Already bad at t0: there is nothing left to predict.
    Excluded,
    Unlabelled,
}

impl Label {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Indeterminate => "indeterminate",
            Self::Excluded => "excluded",
            Self::Unlabelled => "unlabelled",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    Observed,
    Scorecard,
}

impl LabelSource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Scorecard => "scorecard",
        }
    }
}

/// Which labels a training set may hold. Every mix keeps each observed label as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelMix {
    /// Observed outcomes only; the rest stays unlabelled.
    Observed,
    /// Scorecard labels at full weight for whoever has no observed one.
    Scorecard,
    /// As `Scorecard`, but they fade out as observed bads come in.
    Blended,
}

impl LabelMix {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Scorecard => "scorecard",
            Self::Blended => "blended",
        }
    }
}

/// How labels are made. Its digest is the policy version that labels are kept under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelPolicy {
    pub mix: LabelMix,
    /// The outcome window W after t0.
    pub window_days: u32,
    /// Share of parties without an observed label that the scorecard calls bad, in parts per million.
    pub bad_rate_ppm: u32,
}

impl Default for LabelPolicy {
    fn default() -> Self {
        Self {
            mix: LabelMix::Blended,
            window_days: 180,
            bad_rate_ppm: 50_000,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("outcome window of {days} days is not valid: use 1 to 3650")]
    Window { days: u32 },
    #[error("bad rate of {ppm} parts per million is not valid: use at most 1000000")]
    BadRate { ppm: u32 },
    #[error("outcome {index} names party {party} of a batch of {parties}")]
    UnknownParty {
        index: usize,
        party: usize,
        parties: usize,
    },
    #[error("outcome {index} is a late payment without days_past_due: say how late it was")]
    NoDaysPastDue { index: usize },
    #[error("outcome {index} contradicts an earlier value for party {party}")]
    Contradiction { index: usize, party: usize },
    #[error("{raws} raw scores do not fit observations of {parties} parties")]
    Lengths { raws: usize, parties: usize },
}

impl LabelError {
    /// Stable name for callers; never derived from the text.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Window { .. } => "LABEL_WINDOW",
            Self::BadRate { .. } => "LABEL_BAD_RATE",
            Self::UnknownParty { .. } => "LABEL_UNKNOWN_PARTY",
            Self::NoDaysPastDue { .. } => "LABEL_NO_DAYS_PAST_DUE",
            Self::Contradiction { .. } => "LABEL_CONTRADICTION",
            Self::Lengths { .. } => "LABEL_LENGTHS",
        }
    }
}

impl LabelPolicy {
    pub fn validate(&self) -> Result<(), LabelError> {
        if !(1..=3650).contains(&self.window_days) {
            let days = self.window_days;
            return Err(LabelError::Window { days });
        }
        if self.bad_rate_ppm > 1_000_000 {
            let ppm = self.bad_rate_ppm;
            return Err(LabelError::BadRate { ppm });
        }
        Ok(())
    }

    /// The policy version: labels are append-only by (party, t0, this, source).
    pub fn version(&self) -> Digest {
        Digest::new(sha256_hex(&canonical_json(self)))
            .expect("a SHA-256 in lower-case hex is a digest")
    }

    /// The last instant of the outcome window that opens after `t0_micros`: a batch has matured once outcomes are known up
    /// to here.
    pub fn window_end(&self, t0_micros: i64) -> i64 {
        t0_micros.saturating_add(self.window_micros())
    }

    fn window_micros(&self) -> i64 {
        i64::from(self.window_days) * DAY_MICROS
    }
}
