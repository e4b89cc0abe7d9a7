//! Files that a person named on the command line, remembered in the data folder.
//!
//! Whoever runs a command on a data folder of his own may let its fleet read what he names. The fleet that resumes or
//! retries the run is another process, which was not told; so it is written down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;

const FILE: &str = "granted-inputs.json";

/// What has been granted before.
pub(crate) fn read(data_dir: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let path = data_dir.join(FILE);
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is damaged; remove it and name the files again",
                path.display()
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Adds files to what has been granted.
pub(crate) fn add(data_dir: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut granted = read(data_dir)?;
    let before = granted.len();
    granted.extend(files.iter().cloned());
    if granted.len() == before {
        return Ok(());
    }
    let failed = || format!("cannot write {FILE} in {}", data_dir.display());
    std::fs::create_dir_all(data_dir).with_context(failed)?;
    let draft = data_dir.join("granted-inputs.json.new");
    std::fs::write(&draft, serde_json::to_vec_pretty(&granted)?).with_context(failed)?;
    std::fs::rename(&draft, data_dir.join(FILE)).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_remembered_once_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_empty());
        let file = PathBuf::from("/in/B_profiles.json");
        add(folder.path(), std::slice::from_ref(&file)).unwrap();
        add(folder.path(), std::slice::from_ref(&file)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), BTreeSet::from([file]));
    }

    #[test]
    fn a_damaged_note_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "[").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains(FILE));
    }
}
