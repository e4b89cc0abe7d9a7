//! Fleets that the user has given names to, in a file of the user's own. It holds where they are and where tokens lie, never
//! a token.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use kycc_rpc::ClientTls;
use serde::{Deserialize, Serialize};

/// Where a fleet is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    pub(crate) address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cert_file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_file: Option<PathBuf>,
}

impl Context {
    pub(crate) fn tls(&self) -> Option<ClientTls> {
        let tls = ClientTls {
            ca_file: self.ca_file.clone(),
            cert_file: self.cert_file.clone(),
            key_file: self.key_file.clone(),
            domain_name: None,
        };
        (tls != ClientTls::default()).then_some(tls)
    }
}

/// The file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// What commands talk to that name no fleet and no data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

impl Contexts {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is no file of contexts; mend it, or remove it and add them again",
                path.display()
            )
        })
    }

    /// In place of what was there, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    pub(crate) fn named(&self, name: &str) -> anyhow::Result<&Context> {
        let Some(found) = self.contexts.get(name) else {
            let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            match known.as_slice() {
                [] => bail!(
                    "there is no context {name:?}, nor any other; `kycc context add` makes one"
                ),
                known => bail!(
                    "there is no context {name:?}; there are {}",
                    known.join(", ")
                ),
            }
        };
        Ok(found)
    }
}

/// KYCC_CONTEXTS, else `kycc/contexts.json` where the system keeps the user's settings.
pub(crate) fn path(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let set = |key: &str| environment.get(key).filter(|text| !text.is_empty());
    if let Some(path) = set("KYCC_CONTEXTS") {
        return Some(path.into());
    }
    let settings = match set("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(set("HOME")?).join(".config"),
    };
    Some(settings.join("kycc").join("contexts.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(address: &str) -> Context {
        Context {
            address: address.to_owned(),
            token_file: Some("/run/token".into()),
            ca_file: None,
            cert_file: None,
            key_file: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_a_missing_file_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("contexts.json");
        assert_eq!(Contexts::read(&path).unwrap(), Contexts::default());
        let written = Contexts {
            current: Some("prod".to_owned()),
            contexts: [("prod".to_owned(), context("kycc.example.com:443"))].into(),
        };
        written.write(&path).unwrap();
        assert_eq!(Contexts::read(&path).unwrap(), written);
        let missing = written.named("test").unwrap_err().to_string();
        assert_eq!(missing, "there is no context \"test\"; there are prod");
        std::fs::write(&path, "{\"contexts\": {\"a\": {\"adress\": \"x\"}}}").unwrap();
        let broken = Contexts::read(&path).unwrap_err().to_string();
        assert!(broken.contains("no file of contexts"), "{broken}");
    }

    #[test]
    fn the_file_lies_where_it_is_said_or_among_the_users_settings() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            path(
                &pairs
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            )
        };
        let named = of(&[("KYCC_CONTEXTS", "/x.json"), ("HOME", "/h")]);
        assert_eq!(named, Some("/x.json".into()));
        let xdg = of(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]);
        assert_eq!(xdg, Some("/c/kycc/contexts.json".into()));
        assert_eq!(
            of(&[("HOME", "/h")]),
            Some("/h/.config/kycc/contexts.json".into())
        );
        assert_eq!(of(&[]), None);
    }
}
