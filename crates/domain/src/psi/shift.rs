//! When a shift counts: the one rule of the STABILITY gate and of drift between batches.

use serde::{Deserialize, Serialize};

use super::Psi;

/// An index from here on is a shift worth a look.
pub const SHIFT_WARN: f64 = 0.10;

/// An index from here on is another population.
pub const SHIFT_FAIL: f64 = 0.25;

/// How far a sample has moved from what was expected. Ordered: the greatest is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    Pass,
    Warn,
    Fail,
}

impl Shift {
    /// Of an index and the value that it exceeds by chance alone once in twenty. A shift that chance explains is none,
    /// however large: small samples shift by chance.
    pub fn of(value: f64, no_shift_bound: f64) -> Self {
        if value <= no_shift_bound || value < SHIFT_WARN {
            Self::Pass
        } else if value >= SHIFT_FAIL {
            Self::Fail
        } else {
            Self::Warn
        }
    }
}

impl Psi {
    /// What the index says, chance considered.
    pub fn shift(&self) -> Shift {
        Shift::of(self.value, self.no_shift_bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_counts_only_beyond_chance() {
        assert_eq!(Shift::of(0.099, 0.01), Shift::Pass);
        assert_eq!(Shift::of(0.10, 0.01), Shift::Warn);
        assert_eq!(Shift::of(0.25, 0.01), Shift::Fail);
        assert_eq!(Shift::of(0.30, 0.30), Shift::Pass);
        assert_eq!(Shift::of(0.30, 0.29), Shift::Fail);
        assert!(Shift::Fail > Shift::Warn && Shift::Warn > Shift::Pass);
    }
}
