//! Checks one config against its JSON Schema, and says what is wrong in words that name the key.

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::ConfigProblem;
use super::paths::below;
use crate::core::suggest;

pub(super) fn check(base: &str, config: &Value, schema: &Value) -> Vec<ConfigProblem> {
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            return vec![ConfigProblem::new(
                base,
                format!("its schema is broken: {error}"),
            )];
        }
    };
    validator
        .iter_errors(config)
        .flat_map(|error| {
            let path = below(base, &error.instance_path().to_string());
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                    .iter()
                    .map(|key| unknown(&path, key, known_keys(schema, &path, base)))
                    .collect(),
                ValidationErrorKind::Required { property } => {
                    let name = property.as_str().unwrap_or_default();
                    vec![ConfigProblem::new(format!("{path}.{name}"), "is required")]
                }
                _ => vec![ConfigProblem::new(path, error.to_string())],
            }
        })
        .collect()
}

/// A key that nobody knows, with the one that was probably meant.
pub(super) fn unknown<'a>(
    path: &str,
    key: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> ConfigProblem {
    let problem = match suggest(key, known) {
        Some(name) => format!("unknown key; did you mean {name}?"),
        None => "unknown key".to_owned(),
    };
    ConfigProblem::new(format!("{path}.{key}"), problem)
}

/// Suggestions are made for the top level of a config only; deeper ones name the key alone.
fn known_keys<'a>(schema: &'a Value, path: &str, base: &str) -> Vec<&'a str> {
    match schema["properties"].as_object() {
        Some(properties) if path == base => properties.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}
