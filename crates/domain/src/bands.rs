//! Bands of whole scores: best first, each with both its bounds written out, without gap or overlap.

use serde::{Deserialize, Serialize};

/// One band: scores from `min` to `max`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub name: String,
    pub min: i32,
    pub max: i32,
}

/// Bands that cover their range without gap or overlap, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Band>", into = "Vec<Band>")]
pub struct Bands(Vec<Band>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BandsError {
    #[error("bands are empty: name at least one")]
    Empty,
    #[error("band {name:?} has a name that is blank or taken")]
    Name { name: String },
    #[error("band {name:?} runs from {min} to {max}: its min must not exceed its max")]
    Reversed { name: String, min: i32, max: i32 },
    #[error(
        "band {name:?} ends at {max}, but {above:?} above it starts at {start}: bands are listed best first, \
         each ending one below the start of the one above"
    )]
    NotContiguous {
        name: String,
        max: i32,
        above: String,
        start: i32,
    },
}

impl Bands {
    pub fn new(bands: Vec<Band>) -> Result<Self, BandsError> {
        if bands.is_empty() {
            return Err(BandsError::Empty);
        }
        for (index, band) in bands.iter().enumerate() {
            let taken = bands[..index].iter().any(|b| b.name == band.name);
            if taken || band.name.trim().is_empty() {
                return Err(BandsError::Name {
                    name: band.name.clone(),
                });
            }
            if band.min > band.max {
                return Err(BandsError::Reversed {
                    name: band.name.clone(),
                    min: band.min,
                    max: band.max,
                });
            }
        }
        for pair in bands.windows(2) {
            if i64::from(pair[1].max) + 1 != i64::from(pair[0].min) {
                return Err(BandsError::NotContiguous {
                    name: pair[1].name.clone(),
                    max: pair[1].max,
                    above: pair[0].name.clone(),
                    start: pair[0].min,
                });
            }
        }
        Ok(Self(bands))
    }

    /// The position (0 is best) of the score's band. Total: a score beyond either end belongs to the band at that end.
    pub fn index_of(&self, score: i32) -> usize {
        self.0
            .iter()
            .position(|band| score >= band.min)
            .unwrap_or(self.0.len() - 1)
    }

    pub fn band_of(&self, score: i32) -> &Band {
        &self.0[self.index_of(score)]
    }

    pub fn as_slice(&self) -> &[Band] {
        &self.0
    }

    /// Lowest and highest score covered.
    pub fn range(&self) -> (i32, i32) {
        (self.0[self.0.len() - 1].min, self.0[0].max)
    }
}

impl Default for Bands {
    fn default() -> Self {
        let band = |name: &str, min, max| Band {
            name: name.to_owned(),
            min,
            max,
        };
        Self(vec![
            band("excellent", 800, 900),
            band("good", 700, 799),
            band("fair", 600, 699),
            band("poor", 450, 599),
            band("very_poor", 300, 449),
        ])
    }
}

impl TryFrom<Vec<Band>> for Bands {
    type Error = BandsError;
    fn try_from(bands: Vec<Band>) -> Result<Self, BandsError> {
        Self::new(bands)
    }
}

impl From<Bands> for Vec<Band> {
    fn from(bands: Bands) -> Self {
        bands.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn band(name: &str, min: i32, max: i32) -> Band {
        Band {
            name: name.into(),
            min,
            max,
        }
    }

    #[test]
    fn default_bands_switch_at_their_thresholds() {
        let bands = Bands::default();
        assert_eq!(Bands::new(bands.as_slice().to_vec()).as_ref(), Ok(&bands));
        for (score, name) in [
            (900, "excellent"),
            (800, "excellent"),
            (799, "good"),
            (700, "good"),
            (699, "fair"),
            (600, "fair"),
            (599, "poor"),
            (450, "poor"),
            (449, "very_poor"),
            (300, "very_poor"),
        ] {
            assert_eq!(bands.band_of(score).name, name, "{score}");
        }
    }

    #[test]
    fn gaps_overlaps_and_wrong_order_are_refused() {
        let gap = Bands::new(vec![band("a", 700, 900), band("b", 300, 698)]);
        assert!(matches!(gap, Err(BandsError::NotContiguous { .. })));
        let overlap = Bands::new(vec![band("a", 700, 900), band("b", 300, 700)]);
        assert!(matches!(overlap, Err(BandsError::NotContiguous { .. })));
        let worst_first = Bands::new(vec![band("b", 300, 699), band("a", 700, 900)]);
        assert!(matches!(worst_first, Err(BandsError::NotContiguous { .. })));
        let reversed = Bands::new(vec![band("a", 900, 300)]);
        assert!(matches!(reversed, Err(BandsError::Reversed { .. })));
        let twice = Bands::new(vec![band("a", 700, 900), band("a", 300, 699)]);
        assert!(matches!(twice, Err(BandsError::Name { .. })));
        assert_eq!(Bands::new(vec![]), Err(BandsError::Empty));
        assert!(serde_json::from_str::<Bands>("[]").is_err());
    }

    proptest! {
        #[test]
        fn every_score_has_exactly_one_band(
            widths in prop::collection::vec(1i32..200, 1..8), score in 0i32..2000,
        ) {
            let mut top = 2000;
            let mut list = Vec::new();
            for (index, width) in widths.iter().enumerate() {
                list.push(band(&format!("b{index}"), top - width + 1, top));
                top -= width;
            }
            let bands = Bands::new(list.clone()).unwrap();
            let holding = list.iter().filter(|b| b.min <= score && score <= b.max).count();
            let (low, _) = bands.range();
            prop_assert_eq!(holding, usize::from(score >= low));
            let found = bands.band_of(score);
            prop_assert!(score <= found.max && (score >= found.min || found.min == low));
        }
    }
}
