//! One file being written: buffered, under a temporary name beside its own, and removed again unless it is published.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::error::SyntheticError;

/// Rows gather here before they go to the file.
const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    staged: Staged,
    pub(crate) buffer: Vec<u8>,
    flushed: u64,
}

impl Output {
    pub(crate) fn create(path: PathBuf) -> Result<Self, SyntheticError> {
        let staged = Staged {
            temporary: temporary_name(&path),
            path,
            bytes: 0,
            published: false,
        };
        let file = File::create(&staged.temporary).map_err(|source| SyntheticError::Create {
            path: staged.temporary.clone(),
            source,
        })?;
        Ok(Self {
            file,
            staged,
            buffer: Vec::with_capacity(BUFFER_BYTES * 2),
            flushed: 0,
        })
    }

    /// Call it between rows.
    pub(crate) fn flush_if_full(&mut self) -> Result<(), SyntheticError> {
        if self.buffer.len() < BUFFER_BYTES {
            Ok(())
        } else {
            self.flush()
        }
    }

    pub(crate) fn finish(mut self) -> Result<Staged, SyntheticError> {
        self.flush()?;
        self.staged.bytes = self.flushed;
        Ok(self.staged)
    }

    fn flush(&mut self) -> Result<(), SyntheticError> {
        self.file
            .write_all(&self.buffer)
            .map_err(|source| SyntheticError::Write {
                path: self.staged.temporary.clone(),
                source,
            })?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A complete file that has not its name yet.
#[derive(Debug)]
pub(crate) struct Staged {
    temporary: PathBuf,
    path: PathBuf,
    pub(crate) bytes: u64,
    published: bool,
}

impl Staged {
    pub(crate) fn publish(mut self) -> Result<PathBuf, SyntheticError> {
        fs::rename(&self.temporary, &self.path).map_err(|source| SyntheticError::Publish {
            path: self.path.clone(),
            source,
        })?;
        self.published = true;
        Ok(self.path.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.published {
            // Nobody to tell: the error that led here is being reported already.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Hidden, and apart from what another process writes.
fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_under_its_name_only_when_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut output = Output::create(path.clone()).unwrap();
        output.buffer.extend_from_slice(b"{}");
        let staged = output.finish().unwrap();
        assert_eq!(staged.bytes, 2);
        assert!(!path.exists());
        staged.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }

    #[test]
    fn what_is_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        drop(Output::create(folder.path().join("a.json")).unwrap());
        drop(
            Output::create(folder.path().join("b.json"))
                .unwrap()
                .finish()
                .unwrap(),
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
