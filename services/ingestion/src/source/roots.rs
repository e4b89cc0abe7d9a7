//! The folders that inputs may come from. Links are followed before a path is judged.

use std::path::{Path, PathBuf};

use kycc_runtime::FleetConfig;
use url::Url;

use super::error::SourceError;

#[derive(Debug, Clone)]
pub(crate) struct Roots {
    landing: PathBuf,
    allowed: Vec<PathBuf>,
}

impl Roots {
    pub(crate) fn new(landing: &Path, allowed: &[PathBuf]) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let allowed = std::iter::once(landing).chain(allowed.iter().map(PathBuf::as_path));
        Self {
            landing: absolute(landing),
            allowed: allowed.map(absolute).collect(),
        }
    }

    pub(crate) fn of(config: &FleetConfig) -> Self {
        Self::new(&config.landing, &config.allowed_roots)
    }

    pub(crate) fn landing(&self) -> &Path {
        &self.landing
    }

    /// What a URI or path names; it must be there and inside. A relative path is looked for in the landing folder first.
    pub(crate) fn existing(&self, uri: &str) -> Result<PathBuf, SourceError> {
        let path = self.path_of(uri)?;
        self.inside(&path)
    }

    fn path_of(&self, uri: &str) -> Result<PathBuf, SourceError> {
        let bad = || SourceError::BadUri {
            uri: uri.to_owned(),
        };
        if uri.contains("://") {
            let url = Url::parse(uri).map_err(|_| bad())?;
            if url.scheme() != "file" {
                return Err(bad());
            }
            return url.to_file_path().map_err(|()| bad());
        }
        if uri.is_empty() || uri.contains('\0') {
            return Err(bad());
        }
        let landed = self.landing.join(uri);
        if landed.exists() {
            return Ok(landed);
        }
        std::path::absolute(uri).map_err(|_| bad())
    }

    /// The real path, when it is inside.
    pub(crate) fn inside(&self, path: &Path) -> Result<PathBuf, SourceError> {
        let shown = || path.display().to_string();
        let real = path.canonicalize().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => SourceError::NotFound { path: shown() },
            _ => SourceError::Unreadable {
                path: shown(),
                source,
            },
        })?;
        // A root that is not there holds nothing.
        let roots = self
            .allowed
            .iter()
            .filter_map(|root| root.canonicalize().ok());
        if roots.into_iter().any(|root| real.starts_with(root)) {
            return Ok(real);
        }
        let roots: Vec<_> = self
            .allowed
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        Err(SourceError::OutsideRoots {
            path: real.display().to_string(),
            roots: roots.join(", "),
        })
    }

    /// A regular file inside: reading a pipe or a device could last for ever.
    pub(crate) fn file(&self, path: &Path) -> Result<PathBuf, SourceError> {
        let real = self.inside(path)?;
        if real.is_file() {
            Ok(real)
        } else {
            Err(SourceError::NotAFile {
                path: real.display().to_string(),
            })
        }
    }
}
