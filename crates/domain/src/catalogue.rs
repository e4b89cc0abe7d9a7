//! The 17 features of version 1 as data: what each is called, where it comes from, what it means, how far to trust it.
//!
//! Table order is the order of every feature row, matrix column and tie-break in the system: append, never reorder.

mod specs;
mod values;

pub use specs::FEATURES;
pub use values::Values;

use crate::scaling::Method;
use serde::Serialize;

/// How many features a row carries.
pub const FEATURE_COUNT: usize = 17;

/// Which extractor produces a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Kyc,
    Transaction,
    Network,
}

/// Which way a feature is expected to move creditworthiness; the WEIGHTS gate holds a refined card to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    HigherIsBetter,
    LowerIsBetter,
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FeatureSpec {
    pub name: &'static str,
    pub source: Source,
    pub unit: &'static str,
    pub definition: &'static str,
    /// Least possible value; `None` is unbounded.
    pub min: Option<f64>,
    /// Greatest possible value; `None` is unbounded.
    pub max: Option<f64>,
    /// Which values lie between them.
    pub values: Values,
    /// Whether a party can change it by what it does. Time in business passes by itself, and what a business is stays.
    pub actionable: bool,
    pub direction: Direction,
    /// What a card uses unless it declares its own.
    pub scaling: Method,
    /// Stable code of the reason given when this feature costs points. Names the matter, not a direction.
    pub reason_code: &'static str,
    /// The reason in words where more of the feature earns more points.
    pub reason_when_low: &'static str,
    /// The reason in words where a card gives the feature a negative weight.
    pub reason_when_high: &'static str,
}

/// Position of a feature in every row, or `None` for an unknown name.
pub fn feature_index(name: &str) -> Option<usize> {
    FEATURES.iter().position(|spec| spec.name == name)
}

/// One party's features, in catalogue order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureVector([f64; FEATURE_COUNT]);

impl FeatureVector {
    pub fn new(values: [f64; FEATURE_COUNT]) -> Self {
        Self(values)
    }

    /// All zero: a party about which nothing is known.
    pub fn zero() -> Self {
        Self([0.0; FEATURE_COUNT])
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        feature_index(name).map(|index| self.0[index])
    }

    /// Sets a feature by name; false when the catalogue has no such feature.
    #[must_use]
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        match feature_index(name) {
            Some(index) => {
                self.0[index] = value;
                true
            }
            None => false,
        }
    }

    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    pub fn values(&self) -> &[f64; FEATURE_COUNT] {
        &self.0
    }

    /// The first feature whose value is NaN or infinite; nothing may be scored from such a row.
    pub fn first_non_finite(&self) -> Option<&'static FeatureSpec> {
        self.0
            .iter()
            .position(|value| !value.is_finite())
            .map(|index| &FEATURES[index])
    }
}

/// Confidence of each feature, given what a party's window holds.
///
/// `months_present` counts the UTC calendar months with a transaction in the window; `has_transaction` says whether
/// there is any. Without one, every transaction feature but the flag is a guess from absence.
pub fn confidences(months_present: u32, has_transaction: bool) -> [f64; FEATURE_COUNT] {
    std::array::from_fn(|index| confidence(&FEATURES[index], months_present, has_transaction))
}

fn confidence(spec: &FeatureSpec, months_present: u32, has_transaction: bool) -> f64 {
    match spec.name {
        "recent_activity_flag" => 1.0,
        _ if spec.source == Source::Transaction && !has_transaction => 0.3,
        "transaction_regularity_score" if months_present >= 3 => 0.8,
        "transaction_regularity_score" => 0.5,
        "company_age_years" | "network_depth_downstream" | "network_size" => 0.9,
        "network_balance_ratio" => 0.8,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn table_order_is_fixed() {
        let names: Vec<_> = FEATURES.iter().map(|spec| spec.name).collect();
        assert_eq!(
            names,
            [
                "kyc_verified",
                "company_age_years",
                "party_type_score",
                "contact_completeness",
                "has_tax_id",
                "transaction_count_6m",
                "avg_transaction_amount",
                "total_transaction_volume_6m",
                "transaction_regularity_score",
                "payment_type_diversity",
                "recent_activity_flag",
                "direct_counterparty_count",
                "network_depth_downstream",
                "network_size",
                "supplier_count",
                "customer_count",
                "network_balance_ratio",
            ]
        );
        assert_eq!(feature_index("network_balance_ratio"), Some(16));
        assert_eq!(feature_index("nothing"), None);
    }

    #[test]
    fn reason_codes_are_unique_and_upper_snake() {
        let codes: HashSet<_> = FEATURES.iter().map(|spec| spec.reason_code).collect();
        assert_eq!(codes.len(), FEATURE_COUNT);
        for code in codes {
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
        }
        assert!(FEATURES.iter().all(|spec| spec.scaling.is_valid()));
    }

    #[test]
    fn confidence_follows_what_the_window_holds() {
        let of = |name: &str, months, any| confidences(months, any)[feature_index(name).unwrap()];
        assert_eq!(of("kyc_verified", 0, false), 1.0);
        assert_eq!(of("company_age_years", 6, true), 0.9);
        assert_eq!(of("network_depth_downstream", 0, false), 0.9);
        assert_eq!(of("network_size", 0, false), 0.9);
        assert_eq!(of("network_balance_ratio", 0, false), 0.8);
        assert_eq!(of("transaction_regularity_score", 3, true), 0.8);
        assert_eq!(of("transaction_regularity_score", 2, true), 0.5);
        assert_eq!(of("transaction_regularity_score", 0, false), 0.3);
        assert_eq!(of("transaction_count_6m", 1, true), 1.0);
        assert_eq!(of("payment_type_diversity", 0, false), 0.3);
        assert_eq!(of("recent_activity_flag", 0, false), 1.0);
    }

    #[test]
    fn a_vector_is_read_and_written_by_name() {
        let mut vector = FeatureVector::zero();
        assert!(vector.set("network_size", 9.0));
        assert!(!vector.set("nothing", 1.0));
        assert_eq!(vector.get("network_size"), Some(9.0));
        assert_eq!(vector.as_slice()[13], 9.0);
        assert_eq!(vector.first_non_finite(), None);
        assert!(vector.set("supplier_count", f64::NAN));
        assert_eq!(vector.first_non_finite().unwrap().name, "supplier_count");
    }
}
