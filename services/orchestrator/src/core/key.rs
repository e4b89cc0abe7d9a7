//! The key of a version: what it is made from. Equal keys mean equal rows, so a repeat finds its own result.

use serde_json::Value;

use super::state::{Source, Version};

/// Everything that a version depends on. The number of shards is not among it: it changes no row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyInputs<'a> {
    pub asset: &'a str,
    pub code_version: &'a str,
    /// With defaults filled in.
    pub config: &'a Value,
    pub inputs: &'a [Version],
    pub sources: &'a [Source],
}

/// First 32 hex digits of BLAKE3 over canonical JSON.
pub(crate) fn version_key(of: KeyInputs<'_>) -> String {
    let mut inputs: Vec<_> = of
        .inputs
        .iter()
        .map(|v| (v.dataset.as_str(), v.batch.as_str(), v.digest.as_str()))
        .collect();
    inputs.sort_unstable();
    let mut sources: Vec<_> = of
        .sources
        .iter()
        .map(|source| (source.name.as_str(), source.digest.as_str()))
        .collect();
    sources.sort_unstable();
    let document = serde_json::json!({
        "asset": of.asset,
        "code_version": of.code_version,
        "config": of.config,
        "inputs": inputs,
        "sources": sources,
    });
    let hash = blake3::hash(canonical_json(&document).as_bytes());
    hash.to_hex()[..32].to_owned()
}

/// Keys sorted, no spaces, whatever order the map was built in.
pub(crate) fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let body: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| {
                    format!("{}:{}", Value::from(key.as_str()), canonical_json(value))
                })
                .collect();
            format!("{{{}}}", body.join(","))
        }
        Value::Array(items) => {
            let body: Vec<String> = items.iter().map(canonical_json).collect();
            format!("[{}]", body.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(config: &Value, inputs: &[Version]) -> String {
        version_key(KeyInputs {
            asset: "score_batch",
            code_version: "1",
            config,
            inputs,
            sources: &[],
        })
    }

    fn version(dataset: &str, digest: &str, rows: u64) -> Version {
        Version {
            dataset: dataset.parse().unwrap(),
            batch: "B1".parse().unwrap(),
            key: "k".to_owned(),
            digest: digest.to_owned(),
            rows,
            bytes: rows,
            files: 1,
        }
    }

    #[test]
    fn the_order_of_config_keys_and_of_inputs_does_not_matter() {
        let (a, b) = (version("batch", "01", 1), version("features", "02", 1));
        let one = key(&json!({"x": 1, "y": [2]}), &[a.clone(), b.clone()]);
        let two = key(&json!({"y": [2], "x": 1}), &[b, a]);
        assert_eq!(one, two);
        assert_eq!(one.len(), 32);
    }

    #[test]
    fn config_and_digests_change_the_key_and_file_sizes_do_not() {
        let base = key(&json!({}), &[version("features", "01", 5)]);
        assert_ne!(
            base,
            key(&json!({"cutoff": 1}), &[version("features", "01", 5)])
        );
        assert_ne!(base, key(&json!({}), &[version("features", "02", 5)]));
        assert_eq!(base, key(&json!({}), &[version("features", "01", 6)]));
    }
}
