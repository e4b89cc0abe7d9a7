//! One process at a time is the fleet of a data folder. The lock goes with the process, however it ends; the note beside
//! it tells other commands where to call.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

const LOCK: &str = "fleet.lock";
const INFO: &str = "fleet.json";
const TRIES: u32 = 5;
const BETWEEN_TRIES: std::time::Duration = std::time::Duration::from_millis(20);

/// Where the fleet of a data folder answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetInfo {
    pub grpc_addr: SocketAddr,
    pub console_addr: Option<SocketAddr>,
    pub pid: u32,
    /// Whether it stays for others to talk to.
    pub shared: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("the data folder {} is in use by process {holder}; stop it, talk to it, or choose another folder with --data-dir", folder.display())]
    InUse { folder: PathBuf, holder: String },
    #[error("cannot use the data folder {}; check its permissions or choose another with --data-dir", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Held as long as the fleet runs.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _file: File,
}

impl FolderLock {
    /// Takes the folder, which is made if missing.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Folder {
            folder: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(LOCK))
            .map_err(failed)?;
        let mut tries = TRIES;
        loop {
            match FileExt::try_lock(&file) {
                Ok(()) => break,
                // A command that looks whether somebody holds the folder holds it itself for a moment.
                Err(TryLockError::WouldBlock) if tries > 1 => {
                    tries -= 1;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = read_info(folder)
                        .map_or_else(|| "(unknown)".to_owned(), |info| info.pid.to_string());
                    return Err(LockError::InUse {
                        folder: folder.to_owned(),
                        holder,
                    });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        // What a killed process left behind would send commands to a port that nobody, or somebody else, has now.
        let lock = Self {
            folder: folder.to_owned(),
            _file: file,
        };
        lock.remove_info();
        Ok(lock)
    }

    /// Notes where the fleet answers.
    pub fn announce(&self, info: &FleetInfo) -> Result<(), LockError> {
        let failed = |source| LockError::Folder {
            folder: self.folder.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(info).map_err(|error| failed(error.into()))?;
        // Readers see the whole note or none.
        let draft = self.folder.join("fleet.json.new");
        std::fs::write(&draft, text).map_err(failed)?;
        std::fs::rename(&draft, self.folder.join(INFO)).map_err(failed)
    }

    fn remove_info(&self) {
        // Usually it is not there.
        let _ = std::fs::remove_file(self.folder.join(INFO));
    }

    /// The fleet that holds `folder` at this moment, if one does and it answers already.
    #[must_use]
    pub fn holder(folder: &Path) -> Option<FleetInfo> {
        let file = File::open(folder.join(LOCK)).ok()?;
        match FileExt::try_lock_shared(&file) {
            Err(TryLockError::WouldBlock) => read_info(folder),
            _ => None,
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        self.remove_info();
    }
}

fn read_info(folder: &Path) -> Option<FleetInfo> {
    let text = std::fs::read(folder.join(INFO)).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> FleetInfo {
        FleetInfo {
            grpc_addr: SocketAddr::from(([127, 0, 0, 1], 50051)),
            console_addr: None,
            pid: 4242,
            shared: true,
        }
    }

    #[test]
    fn a_second_holder_is_refused_with_a_sentence_that_names_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::acquire(folder.path()).unwrap();
        lock.announce(&info()).unwrap();
        let error = FolderLock::acquire(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the data folder {} is in use by process 4242; stop it, talk to it, or choose another folder with --data-dir",
                folder.path().display()
            )
        );
        assert_eq!(FolderLock::holder(folder.path()), Some(info()));
    }

    #[test]
    fn a_folder_that_was_let_go_can_be_taken_and_names_no_holder() {
        let folder = tempfile::tempdir().unwrap();
        drop(FolderLock::acquire(folder.path()).unwrap());
        assert_eq!(FolderLock::holder(folder.path()), None);
        FolderLock::acquire(folder.path()).unwrap();
    }

    #[test]
    fn the_note_of_a_killed_process_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK), "").unwrap();
        let note = serde_json::to_string(&info()).unwrap();
        std::fs::write(folder.path().join(INFO), note).unwrap();
        assert_eq!(FolderLock::holder(folder.path()), None);
        let lock = FolderLock::acquire(folder.path()).unwrap();
        assert!(!folder.path().join(INFO).exists());
        drop(lock);
    }
}
