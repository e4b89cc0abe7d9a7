//! Which values a feature can take within its range: what "the next greater value" means for each.

use serde::Serialize;

/// The values of a feature, as far as one may be named to a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// `k / per_unit` for whole k: 1 for counts, 100 for hundredths, 365.25 for days in years.
    ///
    /// A mean or a ratio may lie between two of them; what is asked of a party is then a whole step.
    Steps { per_unit: f64 },
    /// These and no others, ascending.
    Listed(&'static [f64]),
}

/// Whole steps beyond this are no longer told apart by an f64.
const FURTHEST: f64 = 9e15;

impl Values {
    /// The value at a position. A listed value's position is its index, one beyond the list is the nearest listed.
    pub fn at(self, position: i64) -> f64 {
        match self {
            Self::Steps { per_unit } => position as f64 / per_unit,
            Self::Listed(values) => {
                let last = values.len() as i64 - 1;
                values[position.clamp(0, last) as usize]
            }
        }
    }

    /// The greatest position whose value does not exceed `value`; −1 before the first listed one.
    pub fn at_or_below(self, value: f64) -> i64 {
        match self {
            Self::Steps { per_unit } => {
                let near = (value * per_unit).floor().clamp(-FURTHEST, FURTHEST) as i64;
                // The product is rounded: 0.29 · 100 falls short of 29.
                (near - 1..=near + 1)
                    .rev()
                    .find(|position| self.at(*position) <= value)
                    .unwrap_or(near)
            }
            Self::Listed(values) => values.partition_point(|held| *held <= value) as i64 - 1,
        }
    }

    /// The least position whose value is not below `value`; past the last where every listed one is.
    pub fn at_or_above(self, value: f64) -> i64 {
        let below = self.at_or_below(value);
        match self {
            Self::Steps { .. } if self.at(below) < value => below + 1,
            Self::Steps { .. } => below,
            Self::Listed(values) => values.partition_point(|held| *held < value) as i64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::FEATURES;
    use proptest::prelude::*;

    #[test]
    fn bounds_of_every_feature_are_values_of_it() {
        for spec in FEATURES {
            for bound in [spec.min, spec.max].into_iter().flatten() {
                let position = spec.values.at_or_below(bound);
                assert_eq!(spec.values.at(position), bound, "{}", spec.name);
                assert_eq!(spec.values.at_or_above(bound), position, "{}", spec.name);
            }
        }
    }

    #[test]
    fn listed_values_have_neighbours_at_either_end() {
        let types = Values::Listed(&[5.0, 6.0, 7.0, 8.0, 10.0]);
        assert_eq!((types.at_or_below(9.0), types.at_or_above(9.0)), (3, 4));
        assert_eq!((types.at_or_below(4.0), types.at_or_above(11.0)), (-1, 5));
        assert_eq!((types.at(-1), types.at(9)), (5.0, 10.0));
    }

    #[test]
    fn days_of_years_are_those_of_the_feature() {
        let days = Values::Steps { per_unit: 365.25 };
        for whole in [0i32, 1, 364, 365, 366, 1826, 40_000] {
            let years = f64::from(whole) / 365.25;
            assert_eq!(days.at_or_below(years), i64::from(whole));
            assert_eq!(days.at(i64::from(whole)), years);
        }
    }

    proptest! {
        #[test]
        fn positions_enclose_any_value(value in -1e9f64..1e9, per_unit in prop::sample::select(vec![1.0, 100.0, 365.25])) {
            let values = Values::Steps { per_unit };
            let (below, above) = (values.at_or_below(value), values.at_or_above(value));
            prop_assert!(values.at(below) <= value && value <= values.at(above));
            prop_assert!(values.at(below + 1) > value && values.at(above - 1) < value);
        }
    }
}
