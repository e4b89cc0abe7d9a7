//! Raw little-endian arrays in a folder.

use std::path::PathBuf;

use anyhow::{Context, ensure};

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(path: &str) -> Self {
        Self(PathBuf::from(path))
    }

    /// `NAME.f64`: doubles.
    pub(crate) fn floats(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let bytes = self.bytes(&format!("{name}.f64"))?;
        let (words, rest) = bytes.as_chunks::<8>();
        ensure!(rest.is_empty(), "{name}.f64 does not hold whole doubles");
        Ok(words.iter().map(|word| f64::from_le_bytes(*word)).collect())
    }

    /// `NAME.u8`: a byte per row, 0 or 1.
    pub(crate) fn flags(&self, name: &str) -> anyhow::Result<Vec<bool>> {
        let bytes = self.bytes(&format!("{name}.u8"))?;
        Ok(bytes.iter().map(|byte| *byte != 0).collect())
    }

    fn bytes(&self, file: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.0.join(file);
        std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
    }
}
