//! Files that a command writes: never over one that it reads, and whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::WorkbenchError;

/// Refuses `out` where it is one of `inputs`, by whatever name or link.
pub fn refuse_input(out: &Path, inputs: &[&Path]) -> Result<(), WorkbenchError> {
    match inputs.iter().find(|input| is_same(out, input)) {
        None => Ok(()),
        Some(input) => Err(WorkbenchError::OutIsInput {
            out: out.display().to_string(),
            input: input.display().to_string(),
        }),
    }
}

/// Two names of one file. A file that is not there is none that could be overwritten.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::canonicalize(one), fs::canonicalize(other)) else {
        return false;
    };
    a == b || is_hard_link(&a, &b)
}

#[cfg(unix)]
fn is_hard_link(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(a), Ok(b)) = (fs::metadata(one), fs::metadata(other)) else {
        return false;
    };
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_hard_link(_: &Path, _: &Path) -> bool {
    false
}

/// Writes `bytes` to `out`, whole or not at all.
pub fn write_whole(out: &Path, bytes: &[u8]) -> Result<(), WorkbenchError> {
    let mut output = Output::create(out)?;
    let written = output.write_all(bytes);
    written.map_err(|cause| unwritable(out, cause))?;
    output.finish()
}

pub(crate) fn unwritable(out: &Path, cause: io::Error) -> WorkbenchError {
    WorkbenchError::Write {
        file: out.display().to_string(),
        cause,
    }
}

/// A file that takes its name when it is finished; dropped before, it leaves nothing. What is no plain file, such as a
/// pipe or `/dev/stdout`, is written directly.
#[derive(Debug)]
pub(crate) struct Output {
    writer: BufWriter<File>,
    named: PathBuf,
    /// Where the bytes wait, and the file that they become.
    staged: Option<(PathBuf, PathBuf)>,
}

impl Output {
    pub(crate) fn create(out: &Path) -> Result<Self, WorkbenchError> {
        Self::open(out).map_err(|cause| unwritable(out, cause))
    }

    fn open(out: &Path) -> io::Result<Self> {
        // Behind a symbolic link its target is replaced, not the link.
        let target = fs::canonicalize(out).unwrap_or_else(|_| out.to_owned());
        let known = fs::metadata(&target).ok();
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            let file = OpenOptions::new().write(true).open(out)?;
            return Ok(Self {
                writer: BufWriter::new(file),
                named: out.to_owned(),
                staged: None,
            });
        }
        if known.as_ref().is_some_and(|k| k.permissions().readonly()) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let (file, staging) = stage(&target)?;
        let output = Self {
            writer: BufWriter::new(file),
            named: out.to_owned(),
            staged: Some((staging, target)),
        };
        if let Some(known) = known {
            output
                .writer
                .get_ref()
                .set_permissions(known.permissions())?;
        }
        Ok(output)
    }

    pub(crate) fn finish(mut self) -> Result<(), WorkbenchError> {
        let flushed = self.writer.flush();
        flushed.map_err(|cause| unwritable(&self.named, cause))?;
        if self.staged.is_some() {
            // The name must not reach the disk before the bytes do. A pipe cannot be synced.
            let synced = self.writer.get_ref().sync_all();
            synced.map_err(|cause| unwritable(&self.named, cause))?;
        }
        let Some((staging, target)) = self.staged.take() else {
            return Ok(());
        };
        fs::rename(&staging, &target).map_err(|cause| {
            discard(&staging);
            unwritable(&self.named, cause)
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((staging, _)) = &self.staged {
            discard(staging);
        }
    }
}

/// A new file beside `target`, so that the rename stays within one file system.
fn stage(target: &Path) -> io::Result<(File, PathBuf)> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for attempt in 0..100 {
        let mut staging = std::ffi::OsString::from(".");
        staging.push(name);
        staging.push(format!(".{}-{attempt}.partial", std::process::id()));
        let staging = target.with_file_name(staging);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&staging)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (file, staging)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The error that led here is the one to tell; a left-over file beside it is the lesser harm.
fn discard(staging: &Path) {
    drop(fs::remove_file(staging));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_known_by_any_name_and_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("data.csv"), "x\n1\n").unwrap();
        fs::write(at("other.csv"), "x\n1\n").unwrap();
        fs::create_dir(at("sub")).unwrap();
        fs::hard_link(at("data.csv"), at("hard.csv")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("data.csv"), at("soft.csv")).unwrap();
        #[cfg(not(unix))]
        fs::hard_link(at("data.csv"), at("soft.csv")).unwrap();
        let input = at("data.csv");
        for out in ["data.csv", "sub/../data.csv", "hard.csv", "soft.csv"] {
            let error = refuse_input(&at(out), &[&at("other.csv"), &input]).unwrap_err();
            assert_eq!(error.reason(), "OUT_IS_INPUT", "{out}");
        }
        for out in ["other.csv", "new.csv", "sub/data.csv"] {
            refuse_input(&at(out), &[&input]).unwrap();
        }
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("scores.csv");
        fs::write(&out, "before").unwrap();
        let mut half = Output::create(&out).unwrap();
        half.write_all(&[b'x'; 100_000]).unwrap();
        drop(half);
        assert_eq!(fs::read_to_string(&out).unwrap(), "before");
        write_whole(&out, b"after").unwrap();
        assert_eq!(fs::read_to_string(&out).unwrap(), "after");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_plain_file_is_written_though_it_cannot_be_synced() {
        write_whole(Path::new("/dev/null"), b"x").unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_by_the_name_that_was_asked_for() {
        let error = write_whole(Path::new("/nowhere/page.html"), b"x").unwrap_err();
        assert_eq!(error.reason(), "FILE_UNWRITABLE");
        assert!(error.to_string().contains("/nowhere/page.html"), "{error}");
    }
}
