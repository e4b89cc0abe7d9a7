//! Fills in what a schema says is meant where nothing is given, so that a run's key and its record are complete.

use serde_json::{Map, Value};

/// Adds the `default` of every property that is absent, also within objects that are there.
pub(super) fn fill(config: &mut Map<String, Value>, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    for (name, property) in properties {
        match config.get_mut(name) {
            Some(Value::Object(inner)) => fill(inner, property),
            Some(_) => {}
            None => {
                if let Some(default) = property.get("default") {
                    config.insert(name.clone(), default.clone());
                }
            }
        }
    }
}

/// Lays `over` on `base`: objects are merged, everything else is replaced.
pub(super) fn merge(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_filled_in_at_every_depth_and_given_values_stay() {
        let schema = json!({"properties": {
            "a": {"default": 1}, "b": {"default": 2}, "c": {"properties": {"d": {"default": 3}}}, "e": {}
        }});
        let mut config = json!({"b": 7, "c": {}}).as_object().unwrap().clone();
        fill(&mut config, &schema);
        assert_eq!(
            Value::Object(config),
            json!({"a": 1, "b": 7, "c": {"d": 3}})
        );
    }

    #[test]
    fn merging_replaces_leaves_and_keeps_neighbours() {
        let mut base = json!({"ops": {"a": {"config": {"x": 1, "y": [1]}}}});
        merge(
            &mut base,
            &json!({"ops": {"a": {"config": {"y": [2]}}, "b": {}}}),
        );
        assert_eq!(
            base,
            json!({"ops": {"a": {"config": {"x": 1, "y": [2]}}, "b": {}}})
        );
    }
}
