//! What a source is, in one digest: BLAKE3 over the names, lengths and contents of its files.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::Source;
use super::error::SourceError;

/// Large enough for BLAKE3 to share a chunk among threads. Files are not mapped: mapped pages count as resident memory.
const CHUNK_BYTES: usize = 4 << 20;

impl Source {
    pub(crate) fn digest(&self) -> Result<String, SourceError> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        for (name, path) in self.files() {
            let content = hash(path, &mut buffer)?;
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(content.as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// `{"files": […]}`: enough to see without reading that nothing has changed since.
    pub(crate) fn facts(&self) -> Result<Value, SourceError> {
        let mut files = Vec::new();
        for (name, path) in self.files() {
            let facts = path.metadata().map_err(|source| unreadable(path, source))?;
            let modified = facts
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let micros = modified.map(|since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
            files.push(json!({"name": name, "bytes": facts.len(), "modified_us": micros}));
        }
        Ok(json!({"files": files}))
    }

    pub(crate) fn bytes(&self) -> u64 {
        let sizes = self
            .inputs
            .iter()
            .map(|input| input.path.metadata().map_or(0, |facts| facts.len()));
        sizes.sum()
    }
}

fn hash(path: &Path, buffer: &mut [u8]) -> Result<blake3::Hash, SourceError> {
    let mut file = File::open(path).map_err(|source| unreadable(path, source))?;
    let mut hasher = blake3::Hasher::new();
    loop {
        let read = file
            .read(buffer)
            .map_err(|source| unreadable(path, source))?;
        if read == 0 {
            return Ok(hasher.finalize());
        }
        hasher.update_rayon(&buffer[..read]);
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Unreadable {
        path: path.display().to_string(),
        source,
    }
}
