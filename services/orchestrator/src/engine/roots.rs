//! Which files people may name: those inside of the configured folders, whatever links and dots say.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(crate) struct Roots {
    folders: Vec<PathBuf>,
}

impl Roots {
    pub(crate) fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            folders: folders.into_iter().collect(),
        }
    }

    /// The real path of `file:///…` or of a plain path.
    pub(crate) fn resolve(&self, uri: &str) -> Result<PathBuf, String> {
        let path = match uri.strip_prefix("file://") {
            Some(path) => path,
            None if uri.contains("://") => {
                return Err(format!(
                    "{uri:?} is not a file; copy it into a configured folder"
                ));
            }
            None => uri,
        };
        let real = std::fs::canonicalize(path).map_err(|error| format!("{uri:?}: {error}"))?;
        let inside = |folder: &PathBuf| {
            std::fs::canonicalize(folder).is_ok_and(|folder: PathBuf| real.starts_with(folder))
        };
        if self.folders.iter().any(inside) {
            return Ok(real);
        }
        let known: Vec<_> = self
            .folders
            .iter()
            .map(|f| Path::display(f).to_string())
            .collect();
        Err(format!(
            "{uri:?} is outside of the folders that inputs may be read from ({}); move it there, or add its folder to \
             allowed_roots",
            known.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_really_are_inside_of_a_root_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("in");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.csv"), "").unwrap();
        std::fs::write(folder.path().join("secret"), "").unwrap();
        let roots = Roots::new([root.clone()]);
        let inside = root.join("a.csv");
        assert!(
            roots
                .resolve(&format!("file://{}", inside.display()))
                .is_ok()
        );
        assert!(roots.resolve(inside.to_str().unwrap()).is_ok());
        let around = root.join("../secret");
        let error = roots.resolve(around.to_str().unwrap()).unwrap_err();
        assert!(error.contains("allowed_roots"), "{error}");
        assert!(roots.resolve("s3://bucket/a.csv").is_err());
        assert!(
            roots
                .resolve(root.join("missing").to_str().unwrap())
                .is_err()
        );
    }
}
