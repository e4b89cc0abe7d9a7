//! How weights become points: shared out over a range (min-max), or so many points per doubling of the odds (PDO).
//!
//! Whatever the kind, `raw = least + k·(Σ w s − Gmin)`: a least score and points per unit of weight. Everything after
//! the card (points, points lost, reasons, bands, the PD link) sees these two and never asks for the kind.

use serde::{Deserialize, Serialize};

use super::{CardError, Factor, PdLink};

/// Where the PDO form may be anchored; beyond, a PD read back from raw points would lose digits that are promised.
const PDO_RANGE: std::ops::RangeInclusive<f64> = 1.0..=1000.0;
const ODDS_RANGE: std::ops::RangeInclusive<f64> = 1e-3..=1e6;
const BASE_RANGE: std::ops::RangeInclusive<i32> = 0..=5000;
/// Raw scores beyond this, either way, are no scores.
const FARTHEST: f64 = 1e6;

/// In JSON `{"base": 300, "max": 900}`, or `{"base": 600, "pdo": 20, "odds": 50, "log_odds": {…}}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ScalingDocument", into = "ScalingDocument")]
pub enum Scaling {
    MinMax(MinMax),
    Pdo(Pdo),
}

/// Least and greatest raw score; the weights share out what lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinMax {
    pub base: i32,
    pub max: i32,
}

/// `raw = Offset + Factor·ln(odds)` with odds good:bad, `Factor = pdo/ln 2`, `Offset = base − Factor·ln(odds at base)`.
///
/// Least and greatest raw score follow from the weights; final scores are held to the range of the card's bands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pdo {
    pub anchor: PdoAnchor,
    pub log_odds: LogOdds,
}

/// The numbers a person chooses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdoAnchor {
    /// Points that double the odds.
    pub pdo: f64,
    /// Goods per bad at `base`.
    pub odds: f64,
    pub base: i32,
}

/// What the weights say about the odds: `ln(good:bad) = intercept + per_weight·Σ w s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogOdds {
    pub intercept: f64,
    /// Above 0: a weight's points must stand for better odds.
    pub per_weight: f64,
}

impl Default for Scaling {
    fn default() -> Self {
        Self::MinMax(MinMax::default())
    }
}

impl Default for MinMax {
    fn default() -> Self {
        Self {
            base: 300,
            max: 900,
        }
    }
}

impl Default for PdoAnchor {
    fn default() -> Self {
        Self {
            pdo: 20.0,
            odds: 50.0,
            base: 600,
        }
    }
}

impl PdoAnchor {
    /// Points per unit of log-odds.
    pub fn factor(&self) -> f64 {
        self.pdo / std::f64::consts::LN_2
    }

    /// Raw score at even odds.
    pub fn offset(&self) -> f64 {
        f64::from(self.base) - self.factor() * self.odds.ln()
    }

    /// The PD that a raw score stands for by definition.
    pub fn link(&self) -> PdLink {
        PdLink {
            intercept: -self.odds.ln(),
            slope: -1.0 / self.factor(),
        }
    }

    pub fn check(&self) -> Result<(), CardError> {
        let Self { pdo, odds, base } = *self;
        let sound =
            PDO_RANGE.contains(&pdo) && ODDS_RANGE.contains(&odds) && BASE_RANGE.contains(&base);
        sound
            .then_some(())
            .ok_or(CardError::PdoAnchor { pdo, odds, base })
    }
}

impl Scaling {
    /// Whether a point means the same on both: all that a person chooses is equal. What a card's own weights say about
    /// the odds is not chosen, and differs from card to card.
    pub fn counts_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::MinMax(one), Self::MinMax(other)) => one == other,
            (Self::Pdo(one), Self::Pdo(other)) => one.anchor == other.anchor,
            (Self::MinMax(_), Self::Pdo(_)) | (Self::Pdo(_), Self::MinMax(_)) => false,
        }
    }

    /// Where the card's PD link counts its points from.
    pub fn base(&self) -> i32 {
        match self {
            Self::MinMax(range) => range.base,
            Self::Pdo(pdo) => pdo.anchor.base,
        }
    }

    /// `minmax` or `pdo`, as configuration names them.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MinMax(_) => "minmax",
            Self::Pdo(_) => "pdo",
        }
    }

    /// Points per unit of weight, for weights of this `Gmax − Gmin`.
    pub(super) fn points_per_weight(&self, spread: f64) -> f64 {
        match self {
            Self::MinMax(range) => f64::from(range.max - range.base) / spread,
            Self::Pdo(pdo) => pdo.anchor.factor() * pdo.log_odds.per_weight,
        }
    }

    /// The raw score of a party without any point, for weights of this `Gmin`.
    pub(super) fn least(&self, g_min: f64) -> f64 {
        match self {
            Self::MinMax(range) => f64::from(range.base),
            Self::Pdo(pdo) => {
                let worst = pdo.log_odds.intercept + pdo.log_odds.per_weight * g_min;
                pdo.anchor.offset() + pdo.anchor.factor() * worst
            }
        }
    }

    /// Refuses what gives no finite scores that tell parties apart; the factors have been checked.
    pub(super) fn check(&self, factors: &[Factor]) -> Result<(), CardError> {
        match *self {
            Self::MinMax(MinMax { base, max }) if base >= max => {
                Err(CardError::Range { base, max })
            }
            Self::MinMax(_) => Ok(()),
            Self::Pdo(Pdo { anchor, log_odds }) => {
                anchor.check()?;
                let LogOdds {
                    intercept,
                    per_weight,
                } = log_odds;
                let spread: f64 = factors.iter().map(|f| f.weight.abs()).sum();
                let least = self.least(factors.iter().map(|f| f.weight.min(0.0)).sum());
                let greatest = least + self.points_per_weight(spread) * spread;
                // Comparisons that NaN does not pass.
                let sound = per_weight > 0.0
                    && -FARTHEST <= least
                    && least < greatest
                    && greatest <= FARTHEST;
                sound.then_some(()).ok_or(CardError::LogOdds {
                    intercept,
                    per_weight,
                })
            }
        }
    }
}

/// Both kinds as one flat object; which fields are there tells the kind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScalingDocument {
    base: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pdo: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    odds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_odds: Option<LogOdds>,
}

impl TryFrom<ScalingDocument> for Scaling {
    type Error = CardError;
    fn try_from(document: ScalingDocument) -> Result<Self, CardError> {
        let ScalingDocument {
            base,
            max,
            pdo,
            odds,
            log_odds,
        } = document;
        match (max, pdo, odds, log_odds) {
            (Some(max), None, None, None) => Ok(Self::MinMax(MinMax { base, max })),
            (None, Some(pdo), Some(odds), Some(log_odds)) => Ok(Self::Pdo(Pdo {
                anchor: PdoAnchor { pdo, odds, base },
                log_odds,
            })),
            _ => Err(CardError::ScalingKind),
        }
    }
}

impl From<Scaling> for ScalingDocument {
    fn from(scaling: Scaling) -> Self {
        let flat = Self {
            base: scaling.base(),
            max: None,
            pdo: None,
            odds: None,
            log_odds: None,
        };
        match scaling {
            Scaling::MinMax(range) => Self {
                max: Some(range.max),
                ..flat
            },
            Scaling::Pdo(pdo) => Self {
                pdo: Some(pdo.anchor.pdo),
                odds: Some(pdo.anchor.odds),
                log_odds: Some(pdo.log_odds),
                ..flat
            },
        }
    }
}
