//! Where a rule may change its mind: the numbers written in its condition, and the values it compares with.
//!
//! Between two of them every comparison is constant, so the final score never falls while the feature earns points.

use crate::catalogue::{FEATURE_COUNT, feature_index};
use crate::rules::RuleSet;

/// The name under which conditions see the raw score.
const SCORE: &str = "score";

/// Values at which conditions may switch; unordered, with repetitions.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Breakpoints {
    /// Of the feature in question.
    pub(super) feature: Vec<f64>,
    /// Of the raw score.
    pub(super) score: Vec<f64>,
}

impl Breakpoints {
    /// Of all rules, for a party whose feature at `feature` changes.
    pub(super) fn of(rules: &RuleSet, row: &[f64; FEATURE_COUNT], feature: usize) -> Self {
        let mut found = Self::default();
        for rule in rules.rules() {
            let (names, mut values) = words(&rule.condition);
            let negated: Vec<f64> = values.iter().map(|value| -value).collect();
            values.extend(negated);
            let named: Vec<usize> = names
                .iter()
                .filter_map(|name| feature_index(name))
                .collect();
            let others = named.iter().filter(|index| **index != feature);
            values.extend(others.map(|index| row[*index]));
            if names.contains(&SCORE) {
                found.score.extend(&values);
            }
            if named.contains(&feature) {
                found.feature.extend(values);
            }
        }
        found
    }
}

/// The names and the numbers written in a condition.
fn words(condition: &str) -> (Vec<&str>, Vec<f64>) {
    let bytes = condition.as_bytes();
    let (mut names, mut numbers) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        let dotted = byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        at += 1;
        if byte.is_ascii_alphabetic() || byte == b'_' {
            at += run(&bytes[at..], |b| b.is_ascii_alphanumeric() || b == b'_');
            names.push(&condition[start..at]);
        } else if byte.is_ascii_digit() || dotted {
            at += run(&bytes[at..], |b| b.is_ascii_alphanumeric() || b == b'.');
            let signed = matches!(bytes.get(at), Some(b'+' | b'-'));
            if signed && matches!(bytes[at - 1], b'e' | b'E') && !is_hex(&condition[start..at]) {
                at += 1 + run(&bytes[at + 1..], |b| b.is_ascii_digit());
            }
            numbers.extend(number(&condition[start..at]));
        }
    }
    (names, numbers)
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let end = bytes.iter().position(|b| !belongs(*b));
    end.unwrap_or(bytes.len())
}

fn is_hex(text: &str) -> bool {
    text.starts_with("0x") || text.starts_with("0X")
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(['u', 'U']);
    let value = if is_hex(text) {
        u64::from_str_radix(&text[2..], 16).ok()? as f64
    } else {
        text.parse().ok()?
    };
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Action, Rule};

    #[test]
    fn names_and_numbers_are_read_as_conditions_write_them() {
        let (names, numbers) =
            words("network_size<=1.0||(score>=.5e+2 && x_2 != -0x1F) || 7u == 3E2");
        assert_eq!(names, ["network_size", "score", "x_2"]);
        assert_eq!(numbers, [1.0, 50.0, 31.0, 7.0, 300.0]);
        assert_eq!(words("0xe+1 > '§' + 2.5e").1, [14.0, 1.0]);
    }

    #[test]
    fn only_rules_that_see_the_feature_or_the_score_have_breakpoints() {
        let rule = |name: &str, condition: &str| Rule {
            name: name.into(),
            priority: 1,
            condition: condition.into(),
            action: Action::AdjustScore { value: 1.0 },
        };
        let rules = RuleSet::compile(&[
            rule("a", "supplier_count > customer_count"),
            rule("b", "score < 500.0"),
            rule("c", "network_size > 77.0"),
        ])
        .unwrap();
        let mut row = [0.0; FEATURE_COUNT];
        let (suppliers, customers) = ("supplier_count", "customer_count");
        row[feature_index(customers).unwrap()] = 4.0;
        let found = Breakpoints::of(&rules, &row, feature_index(suppliers).unwrap());
        assert_eq!(found.feature, [4.0]);
        assert_eq!(found.score, [500.0, -500.0]);
    }
}
