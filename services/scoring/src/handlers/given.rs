//! Features that a caller gives by name: each must exist, be a finite number, and lie where the catalogue says it can.

use std::collections::HashMap;

use kycc_domain::catalogue::{FEATURES, FeatureSpec, FeatureVector};
use kycc_rpc::{ApiError, FieldViolation};

/// The vector; what is not given counts as 0. Everything that is wrong is told at once, in the order of the names.
pub(super) fn features(given: &HashMap<String, f64>) -> Result<FeatureVector, ApiError> {
    let mut features = FeatureVector::zero();
    let mut violations = Vec::new();
    for (name, &value) in given {
        let wrong = match FEATURES.iter().find(|spec| spec.name == name) {
            Some(spec) => problem(spec, value),
            None => Some(format!("is not a feature; there are {}", names())),
        };
        match wrong {
            Some(description) => violations.push(FieldViolation {
                field: format!("features.{name}"),
                description,
            }),
            // The name was found above.
            None => drop(features.set(name, value)),
        }
    }
    if violations.is_empty() {
        return Ok(features);
    }
    violations.sort_by(|a, b| a.field.cmp(&b.field));
    Err(ApiError::Invalid { violations })
}

fn problem(spec: &FeatureSpec, value: f64) -> Option<String> {
    if !value.is_finite() {
        return Some(format!("must be a finite number, not {value}"));
    }
    let below = spec.min.is_some_and(|min| value < min);
    let above = spec.max.is_some_and(|max| value > max);
    (below || above).then(|| format!("must be {}, not {}", range(spec), shown(value)))
}

fn range(spec: &FeatureSpec) -> String {
    match (spec.min, spec.max) {
        (Some(min), Some(max)) => format!("from {min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number".into(),
    }
}

/// Beyond 10¹⁵ by its power of ten: a double may have 309 digits before its point.
fn shown(value: f64) -> String {
    if value.abs() > 1e15 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

fn names() -> String {
    let names: Vec<_> = FEATURES.iter().map(|spec| spec.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(given: &[(&str, f64)]) -> Vec<(String, String)> {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value));
        match features(&given.collect()) {
            Err(ApiError::Invalid { violations }) => violations
                .into_iter()
                .map(|found| (found.field, found.description))
                .collect(),
            other => panic!("{other:?} should be refused"),
        }
    }

    #[test]
    fn values_beyond_the_catalogue_are_refused_with_feature_value_and_range() {
        let told = refused(&[
            ("kyc_verified", 2.0),
            ("network_size", 0.0),
            ("transaction_count_6m", -1e308),
            ("avg_transaction_amount", f64::NAN),
            ("contact_completeness", f64::INFINITY),
        ]);
        let expected = [
            ("avg_transaction_amount", "must be a finite number, not NaN"),
            ("contact_completeness", "must be a finite number, not inf"),
            ("kyc_verified", "must be from 0 to 1, not 2"),
            ("network_size", "must be at least 1, not 0"),
            ("transaction_count_6m", "must be at least 0, not -1e308"),
        ];
        let expected = expected.map(|(name, text)| (format!("features.{name}"), text.to_owned()));
        assert_eq!(told, expected);
    }

    #[test]
    fn an_unknown_name_is_told_with_those_there_are() {
        let told = refused(&[("size", 1.0)]);
        assert!(told[0].1.contains("network_size"), "{told:?}");
    }

    #[test]
    fn the_bounds_themselves_and_unbounded_amounts_are_taken() {
        let given = [
            ("kyc_verified", 1.0),
            ("contact_completeness", 100.0),
            ("avg_transaction_amount", -1e12),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value));
        let vector = features(&given.into_iter().collect()).unwrap();
        assert_eq!(vector.get("avg_transaction_amount"), Some(-1e12));
        assert_eq!(vector.get("network_size"), Some(0.0));
    }
}
