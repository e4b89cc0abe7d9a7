//! What is wrong with a setting, a key or a certificate. Texts name the file and never show what is in it.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    #[error("cannot read the {what} {}", path.display())]
    Read {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the {what} {} is not usable: {problem}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        problem: String,
    },
    #[error("{key} is not valid: {problem}")]
    Setting { key: &'static str, problem: String },
    #[error("the trusted certificates of this system cannot be read: {problem}")]
    SystemRoots { problem: String },
}

impl SecurityError {
    pub(crate) fn read(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Read { what, path, source }
    }

    pub(crate) fn file(what: &'static str, path: &Path, problem: impl Into<String>) -> Self {
        Self::File {
            what,
            path: path.to_owned(),
            problem: problem.into(),
        }
    }

    pub(crate) fn setting(key: &'static str, problem: impl Into<String>) -> Self {
        Self::Setting {
            key,
            problem: problem.into(),
        }
    }
}
