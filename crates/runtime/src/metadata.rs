//! What a materialization's metadata looks like on the wire: that of the handler and of the manifests, with rows, bytes
//! and digest of every dataset and the time it took.

use std::time::Duration;

use kycc_lake::{Manifest, Metadata};
use kycc_proto::work::v1::metadata_entry::Value as Wire;
use kycc_proto::work::v1::{DatasetVersion, MetadataEntry};
use serde_json::Value;

pub(crate) fn dataset_version(manifest: &Manifest) -> DatasetVersion {
    DatasetVersion {
        dataset: manifest.dataset.to_string(),
        batch_id: manifest.batch.to_string(),
        key: manifest.key.clone(),
        digest: manifest.digest.to_string(),
        rows: manifest.rows,
        bytes: manifest.bytes,
        files: u32::try_from(manifest.files.len()).unwrap_or(u32::MAX),
    }
}

/// In the order in which a person reads it: what the step says, then the time, then each dataset.
pub(crate) fn entries(
    said: Metadata,
    manifests: &[&Manifest],
    took: Option<Duration>,
) -> Vec<MetadataEntry> {
    let mut all = Metadata::new();
    for manifest in manifests {
        all.extend(manifest.metadata.clone());
    }
    all.extend(said);
    if let Some(took) = took {
        all.insert(
            "processing_time_seconds".to_owned(),
            took.as_secs_f64().into(),
        );
    }
    if !manifests.is_empty() {
        let total: u64 = manifests.iter().map(|manifest| manifest.bytes).sum();
        all.insert("bytes".to_owned(), total.into());
    }
    for manifest in manifests {
        let name = &manifest.dataset;
        all.insert(format!("{name}.rows"), manifest.rows.into());
        all.insert(format!("{name}.bytes"), manifest.bytes.into());
        all.insert(format!("{name}.digest"), manifest.digest.as_str().into());
    }
    all.into_iter()
        .map(|(label, value)| MetadataEntry {
            label,
            value: Some(wire(value)),
        })
        .collect()
}

fn wire(value: Value) -> Wire {
    match value {
        Value::Bool(flag) => Wire::BoolValue(flag),
        Value::String(text) => Wire::TextValue(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Wire::IntValue(int),
            (None, Some(float)) => Wire::FloatValue(float),
            (None, None) => Wire::JsonValue(number.to_string()),
        },
        other => Wire::JsonValue(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_finds_its_field() {
        let said = json!({
            "a_flag": true, "an_int": -3, "a_float": 1.5, "a_text": "x", "a_table": {"poor": 2}, "nothing": null
        });
        let entries = entries(said.as_object().unwrap().clone(), &[], None);
        let shown: Vec<_> = entries
            .into_iter()
            .map(|entry| (entry.label, entry.value.unwrap()))
            .collect();
        let expected = [
            ("a_flag", Wire::BoolValue(true)),
            ("a_float", Wire::FloatValue(1.5)),
            ("a_table", Wire::JsonValue("{\"poor\":2}".to_owned())),
            ("a_text", Wire::TextValue("x".to_owned())),
            ("an_int", Wire::IntValue(-3)),
            ("nothing", Wire::JsonValue("null".to_owned())),
        ];
        for (label, value) in expected {
            assert!(
                shown.contains(&(label.to_owned(), value.clone())),
                "{label} in {shown:?}"
            );
        }
    }
}
