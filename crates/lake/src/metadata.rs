//! Metadata of a version, and how the metadata of shards becomes that of the whole.

use serde_json::{Map, Value};

/// What a step says of its result: deterministic values only, for two writers must agree.
pub type Metadata = Map<String, Value>;

/// Integers are summed, objects merged recursively, everything else is kept where it is equal in all shards that have
/// it and left out otherwise. `shards` is in shard order.
pub(crate) fn merge(shards: impl IntoIterator<Item = Metadata>) -> Metadata {
    let mut shards = shards.into_iter();
    let mut merged = shards.next().unwrap_or_default();
    let mut conflicts = Vec::new();
    for shard in shards {
        fold(&mut merged, shard, &mut Vec::new(), &mut conflicts);
    }
    for path in conflicts {
        remove(&mut merged, &path);
    }
    merged
}

/// Conflicts are remembered, not removed at once: a third shard must not bring a dropped value back.
fn fold(
    into: &mut Metadata,
    from: Metadata,
    at: &mut Vec<String>,
    conflicts: &mut Vec<Vec<String>>,
) {
    for (key, value) in from {
        at.push(key.clone());
        match (into.get_mut(&key), value) {
            (None, value) => {
                into.insert(key, value);
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) => {
                fold(ours, theirs, at, conflicts);
            }
            (Some(ours), theirs) => match (ours.as_i64(), theirs.as_i64()) {
                (Some(a), Some(b)) => *ours = Value::from(a.saturating_add(b)),
                _ if *ours == theirs => {}
                _ => conflicts.push(at.clone()),
            },
        }
        at.pop();
    }
}

fn remove(from: &mut Metadata, path: &[String]) {
    match path {
        [key] => {
            from.remove(key);
        }
        [key, rest @ ..] => {
            if let Some(Value::Object(inner)) = from.get_mut(key) {
                remove(inner, rest);
            }
        }
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Metadata {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn integers_sum_objects_merge_and_unequal_values_are_left_out() {
        let merged = merge([
            map(json!({"rows": 3, "bands": {"good": 1}, "card": "1.0", "note": "a", "mean": 1.5})),
            map(
                json!({"rows": 4, "bands": {"good": 2, "poor": 5}, "card": "1.0", "note": "b", "mean": 1.5}),
            ),
            map(json!({"rows": 0, "bands": {}, "card": "1.0", "note": "b", "mean": 1.5})),
        ]);
        assert_eq!(
            Value::Object(merged),
            json!({"rows": 7, "bands": {"good": 3, "poor": 5}, "card": "1.0", "mean": 1.5})
        );
    }

    #[test]
    fn one_shard_keeps_its_metadata() {
        let one = map(json!({"a": [1], "b": {"c": 2}}));
        assert_eq!(merge([one.clone()]), one);
        assert_eq!(merge([]), Metadata::new());
    }
}
