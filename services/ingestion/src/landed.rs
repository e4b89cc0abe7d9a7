//! The folders of uploads, below the landing folder, which all processes with this service share.
//!
//! ```text
//! <landing>/.uploads/<upload>/parts/<id>.ndjson            durable once written, part of the upload once the store says so
//! <landing>/.uploads/<upload>/batch/<batch>_<table>_….ndjson   what is ingested: the parts, moved here by a commit
//! ```
//!
//! No batch has the name `.uploads`, since a batch id does not begin with a dot.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use kycc_domain::ids::BatchId;
use kycc_rpc::ApiError;

use crate::core::upload::UploadId;
use crate::handlers::summary::rfc3339;
use crate::store::Part;

const UPLOADS: &str = ".uploads";
const PARTS: &str = "parts";
const BATCH: &str = "batch";

#[derive(Debug, thiserror::Error)]
pub(crate) enum LandedError {
    /// Made in another process, on a folder that this one does not see.
    #[error(
        "this process does not see the folder of upload {upload}; `landing` must be one folder for all processes with the \
         ingestion service"
    )]
    NotShared { upload: String },
    #[error("{path} is a link; the folders of uploads must be real ones")]
    Link { path: String },
    #[error("cannot {operation} {path}")]
    Io {
        operation: &'static str,
        path: String,
        source: io::Error,
    },
}

impl From<LandedError> for ApiError {
    fn from(error: LandedError) -> Self {
        match &error {
            LandedError::NotShared { .. } => {
                ApiError::precondition("LANDING_NOT_SHARED", error.to_string())
            }
            LandedError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                tracing::error!(error = %error, "the landing folder is full");
                ApiError::unavailable("LANDING_FULL", "the landing folder is full; make room")
            }
            LandedError::Io { source, .. } => {
                tracing::warn!(error = %error, cause = %source, "the landing folder cannot be used");
                let message = "the landing folder cannot be used at the moment; try again";
                ApiError::unavailable("LANDING_UNAVAILABLE", message)
            }
            LandedError::Link { .. } => ApiError::internal(&error),
        }
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LandedError {
    let path = path.display().to_string();
    move |source| LandedError::Io {
        operation,
        path,
        source,
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Landed {
    landing: PathBuf,
}

impl Landed {
    pub(crate) fn new(landing: &Path) -> Self {
        Self {
            landing: landing.to_owned(),
        }
    }

    fn folder(&self, upload: &UploadId) -> PathBuf {
        self.landing.join(UPLOADS).join(upload.as_str())
    }

    /// Makes the folder of an upload; one that is there stays.
    pub(crate) fn make(&self, upload: &UploadId) -> Result<(), LandedError> {
        let parts = self.folder(upload).join(PARTS);
        fs::create_dir_all(&parts).map_err(failed("make the folder", &parts))?;
        self.check(upload)?;
        sync(&self.folder(upload))?;
        sync(&self.landing.join(UPLOADS))
    }

    /// Refuses an upload whose folder is not here, and folders that lead elsewhere.
    pub(crate) fn check(&self, upload: &UploadId) -> Result<(), LandedError> {
        let folder = self.folder(upload);
        for path in [&self.landing.join(UPLOADS), &folder, &folder.join(PARTS)] {
            match fs::symlink_metadata(path) {
                Ok(facts) if facts.is_dir() => {}
                Ok(_) => {
                    let path = path.display().to_string();
                    return Err(LandedError::Link { path });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let upload = upload.to_string();
                    return Err(LandedError::NotShared { upload });
                }
                Err(error) => return Err(failed("look at", path)(error)),
            }
        }
        Ok(())
    }

    /// Writes a part; when it returns, the file survives a power cut. `file` was never used before.
    pub(crate) fn write(
        &self,
        upload: &UploadId,
        file: &str,
        lines: &[u8],
    ) -> Result<(), LandedError> {
        self.check(upload)?;
        let folder = self.folder(upload).join(PARTS);
        let path = folder.join(file);
        let mut opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed("make", &path))?;
        let written = opened.write_all(lines).and_then(|()| opened.sync_all());
        if let Err(error) = written {
            let _ = fs::remove_file(&path);
            return Err(failed("write", &path)(error));
        }
        sync(&folder)
    }

    /// Removes a part that did not become one.
    pub(crate) fn discard(&self, upload: &UploadId, file: &str) {
        let _ = fs::remove_file(self.folder(upload).join(PARTS).join(file));
    }

    /// Lays the parts out as a folder of the batch; returns it, relative to the landing folder. Done again, it goes on where
    /// it was cut short.
    pub(crate) fn lay_out(
        &self,
        upload: &UploadId,
        batch: &BatchId,
        as_of_micros: i64,
        parts: &[Part],
    ) -> Result<String, LandedError> {
        let (from, to) = (
            self.folder(upload).join(PARTS),
            self.folder(upload).join(BATCH),
        );
        fs::create_dir_all(&to).map_err(failed("make the folder", &to))?;
        for part in parts {
            let target = to.join(file_name(batch, part));
            match fs::rename(from.join(&part.file), &target) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && target.is_file() => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let upload = upload.to_string();
                    tracing::error!(upload, file = part.file, "a part of an upload is not there");
                    return Err(LandedError::NotShared { upload });
                }
                other => other.map_err(failed("move a part to", &target))?,
            }
        }
        // Replaced as a whole: a second commit may write it while a run of the first reads it.
        let header = serde_json::json!({"batch_id": batch, "generated_at": rfc3339(as_of_micros)});
        let target = to.join(format!("{batch}_batch.json"));
        let draft = to.join(format!(".{batch}_batch.json.new"));
        let write = || -> io::Result<()> {
            let mut file = File::create(&draft)?;
            file.write_all(header.to_string().as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &target)
        };
        if !target.is_file() {
            write().map_err(failed("write", &target))?;
        }
        sync(&to)?;
        sync(&from)?;
        Ok(format!("{UPLOADS}/{upload}/{BATCH}"))
    }

    /// Removes everything of an upload.
    pub(crate) fn remove(&self, upload: &UploadId) -> Result<(), LandedError> {
        let folder = self.folder(upload);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Uploads that have a folder.
    pub(crate) fn all(&self) -> Result<Vec<UploadId>, LandedError> {
        let folder = self.landing.join(UPLOADS);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("read the folder", &folder))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(failed("read the folder", &folder))?
                .file_name();
            all.extend(name.to_str().and_then(|name| UploadId::new(name).ok()));
        }
        Ok(all)
    }
}

/// Sorts by stream, then by offset: of records of one id, the later one counts. `+` stands before every character that a
/// stream's id may have, so that `a` sorts before `a-b` and `a0`. At most 231 bytes.
fn file_name(batch: &BatchId, part: &Part) -> String {
    format!(
        "{batch}_{}_{}+{:016}.ndjson",
        part.table, part.stream_id, part.first_offset
    )
}

/// Makes the names of a folder durable.
fn sync(folder: &Path) -> Result<(), LandedError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync the folder", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::table::Table;
    use crate::core::upload::StreamId;
    use tempfile::TempDir;

    fn upload() -> UploadId {
        UploadId::new("0abc").unwrap()
    }

    fn part(file: &str, first_offset: i64) -> Part {
        Part {
            stream_id: StreamId::new("s").unwrap(),
            first_offset,
            table: Table::Parties,
            records: 1,
            bad_records: 0,
            bytes: 3,
            file: file.to_owned(),
        }
    }

    #[test]
    fn laying_out_goes_on_where_it_was_cut_short_and_takes_named_parts_only() {
        let landing = TempDir::new().unwrap();
        let landed = Landed::new(landing.path());
        landed.make(&upload()).unwrap();
        for file in ["1.ndjson", "2.ndjson", "stray.ndjson"] {
            landed.write(&upload(), file, file.as_bytes()).unwrap();
        }
        let batch = BatchId::new("B1").unwrap();
        let parts = [part("1.ndjson", 0), part("2.ndjson", 7)];
        landed.lay_out(&upload(), &batch, 0, &parts[..1]).unwrap();
        let folder = landed.lay_out(&upload(), &batch, 0, &parts).unwrap();
        let folder = landing.path().join(folder);
        let mut names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "B1_batch.json",
                "B1_parties_s+0000000000000000.ndjson",
                "B1_parties_s+0000000000000007.ndjson"
            ]
        );
        let second = fs::read_to_string(folder.join(&names[2])).unwrap();
        assert_eq!(second, "2.ndjson");
        let lost = [part("3.ndjson", 8)];
        landed.lay_out(&upload(), &batch, 0, &lost).unwrap_err();
    }

    #[test]
    fn files_sort_by_stream_then_by_offset() {
        let batch = BatchId::new("B1").unwrap();
        let streams = ["1", "1-b", "10", "1_b", "2", "a", "a-b", "a0", "a_"];
        let named = |stream: &str, first_offset| {
            let of = Part {
                stream_id: StreamId::new(stream).unwrap(),
                ..part("1.ndjson", first_offset)
            };
            file_name(&batch, &of)
        };
        let names = streams.map(|stream| [named(stream, 9), named(stream, 10)]);
        assert!(
            streams.is_sorted() && names.as_flattened().is_sorted(),
            "{names:?}"
        );
    }

    #[test]
    fn the_longest_names_make_a_file() {
        let landing = TempDir::new().unwrap();
        let landed = Landed::new(landing.path());
        landed.make(&upload()).unwrap();
        landed.write(&upload(), "1.ndjson", b"{}\n").unwrap();
        let batch = BatchId::new("b".repeat(128)).unwrap();
        let longest = Part {
            stream_id: StreamId::new(&"s".repeat(64)).unwrap(),
            table: Table::Relationships,
            first_offset: 9_999_999_999_999_999,
            ..part("1.ndjson", 0)
        };
        landed.lay_out(&upload(), &batch, 0, &[longest]).unwrap();
    }

    #[test]
    fn a_folder_that_leads_elsewhere_or_is_not_here_is_refused() {
        let (landing, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let landed = Landed::new(landing.path());
        let error = landed.write(&upload(), "1.ndjson", b"{}\n").unwrap_err();
        assert!(matches!(error, LandedError::NotShared { .. }), "{error}");
        fs::create_dir_all(outside.path().join("0abc").join(PARTS)).unwrap();
        std::os::unix::fs::symlink(outside.path(), landing.path().join(UPLOADS)).unwrap();
        let error = landed.write(&upload(), "1.ndjson", b"{}\n").unwrap_err();
        assert!(matches!(error, LandedError::Link { .. }), "{error}");
        let written = fs::read_dir(outside.path().join("0abc").join(PARTS)).unwrap();
        assert_eq!(written.count(), 0);
    }

    #[test]
    fn a_part_is_never_written_over() {
        let landing = TempDir::new().unwrap();
        let landed = Landed::new(landing.path());
        landed.make(&upload()).unwrap();
        landed.write(&upload(), "1.ndjson", b"{}\n").unwrap();
        landed.write(&upload(), "1.ndjson", b"[]\n").unwrap_err();
        let parts = landed.folder(&upload()).join(PARTS);
        assert_eq!(fs::read_to_string(parts.join("1.ndjson")).unwrap(), "{}\n");
        let secret = landing.path().join("secret");
        fs::write(&secret, "kept").unwrap();
        std::os::unix::fs::symlink(&secret, parts.join("2.ndjson")).unwrap();
        landed.write(&upload(), "2.ndjson", b"{}\n").unwrap_err();
        assert_eq!(fs::read_to_string(&secret).unwrap(), "kept");
    }
}
