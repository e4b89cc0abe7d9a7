//! What a person gives a run: its config, files, labels, turned into Dagster's run config.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use url::Url;

const MOST_CONFIG_BYTES: u64 = 1024 * 1024;

const INGEST: &str = "ingest_synthetic_batch";

/// Reads `text` as JSON, or as the name of a file that holds JSON. Absent: an empty config.
pub(crate) fn run_config(text: Option<&str>) -> anyhow::Result<Value> {
    let Some(text) = text else {
        return Ok(json!({}));
    };
    let (origin, body) = if text.trim_start().starts_with('{') {
        ("--config".to_owned(), text.to_owned())
    } else {
        let body = read_config(&local_path(Path::new(text), "--config")?, text)?;
        (text.to_owned(), body)
    };
    let value: Value = serde_json::from_str(&body)
        .with_context(|| format!("the run config in {origin} is not valid JSON"))?;
    if !value.is_object() {
        bail!("the run config in {origin} must be a JSON object such as {{\"ops\": {{…}}}}");
    }
    Ok(value)
}

/// A config is small; what is larger was probably meant for another flag.
fn read_config(path: &Path, text: &str) -> anyhow::Result<String> {
    let unreadable = || format!("--config is neither a JSON object nor a readable file: {text}");
    let file = File::open(path).with_context(unreadable)?;
    let mut body = String::new();
    file.take(MOST_CONFIG_BYTES + 1)
        .read_to_string(&mut body)
        .with_context(unreadable)?;
    if body.len() as u64 > MOST_CONFIG_BYTES {
        bail!("--config {text} is larger than 1 MiB; a batch goes with --file");
    }
    Ok(body)
}

/// The absolute path of a file that must be there.
pub(crate) fn existing(path: &Path, flag: &str) -> anyhow::Result<PathBuf> {
    std::fs::canonicalize(local_path(path, flag)?)
        .with_context(|| format!("{flag} {}: no such file or folder", path.display()))
}

/// What was typed as a path: a `file://` URL names one, any other URL none.
fn local_path<'a>(typed: &'a Path, flag: &str) -> anyhow::Result<Cow<'a, Path>> {
    let Some(text) = typed.to_str().filter(|text| text.contains("://")) else {
        return Ok(Cow::Borrowed(typed));
    };
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "file");
    match url.and_then(|url| url.to_file_path().ok()) {
        Some(path) => Ok(Cow::Owned(path)),
        None => bail!(
            "{flag} {text} names no file of this machine; give a path, or a URL such as file:///folder/file"
        ),
    }
}

/// Sets one key of the ingestion asset's config, which a flag must not contradict.
pub(crate) fn set_ingest(
    config: &mut Value,
    key: &str,
    value: &str,
    flag: &str,
) -> anyhow::Result<()> {
    let mut place = config;
    for step in ["ops", INGEST, "config"] {
        let Some(object) = place.as_object_mut() else {
            bail!("the run config must hold an object at ops.{INGEST}.config");
        };
        place = object
            .entry(step)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    let Some(object) = place.as_object_mut() else {
        bail!("the run config must hold an object at ops.{INGEST}.config");
    };
    match object.get(key).and_then(Value::as_str) {
        Some(there) if there != value => {
            bail!(
                "{flag} says {value}, but ops.{INGEST}.config.{key} says {there}; give one of them"
            )
        }
        _ => {
            object.insert(key.to_owned(), Value::from(value));
            Ok(())
        }
    }
}

/// The batch that a config names, if it does.
pub(crate) fn batch_of(config: &Value) -> Option<String> {
    config
        .pointer(&format!("/ops/{INGEST}/config/batch_id"))
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The batch that a source is named after: `BATCH_001` of `BATCH_001_profiles.json` or of the folder `BATCH_001`.
pub(crate) fn batch_named_by(source: &Path) -> anyhow::Result<String> {
    let name = if source.is_dir() {
        source.file_name()
    } else {
        source.file_stem()
    };
    let name = name.and_then(|name| name.to_str()).unwrap_or_default();
    let batch = name.strip_suffix("_profiles").unwrap_or(name);
    if batch.is_empty() {
        bail!(
            "--file {} does not name a batch; say which with --batch",
            source.display()
        );
    }
    Ok(batch.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_sets_the_config_and_may_not_contradict_it() {
        let mut config = json!({});
        set_ingest(&mut config, "batch_id", "B1", "--batch").unwrap();
        assert_eq!(batch_of(&config).as_deref(), Some("B1"));
        let refused = set_ingest(&mut config, "batch_id", "B2", "--batch").unwrap_err();
        assert!(
            refused.to_string().contains("give one of them"),
            "{refused}"
        );
    }

    #[test]
    fn the_batch_is_taken_from_the_name_of_the_source() {
        assert_eq!(
            batch_named_by(Path::new("/in/BATCH_001_profiles.json")).unwrap(),
            "BATCH_001"
        );
        assert_eq!(batch_named_by(Path::new("/in/X.json")).unwrap(), "X");
    }

    #[test]
    fn a_file_url_names_the_same_file_as_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("B 1.json");
        std::fs::write(&path, "{}").unwrap();
        let url = Url::from_file_path(&path).unwrap().to_string();
        assert!(url.contains("B%201"), "{url}");
        let by_path = existing(&path, "--file").unwrap();
        assert_eq!(existing(Path::new(&url), "--file").unwrap(), by_path);
        for other in ["s3://bucket/B1.json", "file://elsewhere/B1.json"] {
            let refused = existing(Path::new(other), "--file").unwrap_err();
            assert!(refused.to_string().contains("no file of this machine"));
        }
    }

    #[test]
    fn a_config_file_that_is_much_too_large_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let text = path.to_str().unwrap();
        let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
        std::fs::write(&path, padded(1 << 20)).unwrap();
        run_config(Some(text)).unwrap();
        std::fs::write(&path, padded((1 << 20) + 1)).unwrap();
        let refused = run_config(Some(text)).unwrap_err().to_string();
        assert!(refused.contains("larger than 1 MiB"), "{refused}");
    }

    #[test]
    fn a_config_that_is_no_object_is_refused_with_its_origin() {
        let refused = run_config(Some("{\"ops\": ")).unwrap_err();
        assert!(refused.to_string().contains("--config"), "{refused}");
        let refused = run_config(Some("no-such-file.json")).unwrap_err();
        assert!(
            refused.to_string().contains("no-such-file.json"),
            "{refused}"
        );
    }
}
