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
                ValidationErrorKind::FalseSchema => vec![beside(path, base, schema)],
                _ => vec![ConfigProblem::new(path, error.to_string())],
            }
        })
        .collect()
}

/// A known key that the others rule out; its description says when it goes.
fn beside(path: String, base: &str, schema: &Value) -> ConfigProblem {
    let key = path.strip_prefix(base).unwrap_or_default();
    let description = &schema["properties"][key.trim_start_matches('.')]["description"];
    let why = description.as_str().unwrap_or("see its schema");
    ConfigProblem::new(
        path,
        format!("does nothing beside the other settings: {why}"),
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_setting_that_the_others_rule_out_is_refused_with_when_it_goes() {
        let schema = json!({
            "type": "object",
            "properties": {"scaling": {}, "pdo": {"type": "number", "description": "only with scaling pdo"}},
            "if": {"properties": {"scaling": {"const": "minmax"}}},
            "then": {"properties": {"pdo": false}},
        });
        let found = |config| check("ops.x.config", &config, &schema);
        assert_eq!(found(json!({"scaling": "pdo", "pdo": 20})), []);
        assert_eq!(found(json!({"scaling": "minmax"})), []);
        let refused = found(json!({"scaling": "minmax", "pdo": 20}));
        let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert!(refused[0].contains("ops.x.config.pdo"), "{refused:?}");
        assert!(refused[0].contains("only with scaling pdo"), "{refused:?}");
    }
}
