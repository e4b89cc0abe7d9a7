//! Strangers' files, read in blocks: memory is bounded by constants whatever a file's size. One thread cuts blocks at
//! the borders of records, others parse them, and they arrive in the order of the input.
//!
//! ```text
//! file ─▶ cut (document | lines | delimited | columnar) ─▶ Block ─▶ parse, N threads ─▶ Parsed, in order ─▶ sink
//! ```

pub(crate) mod block;
pub(crate) mod columnar;
pub(crate) mod delimited;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod lines;
pub(crate) mod parse;
pub(crate) mod pipeline;
pub(crate) mod window;

/// Bytes of records that one thread parses at a time.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;
/// Bytes asked of a file at a time.
pub(crate) const CHUNK_BYTES: usize = 1 << 18;
/// A record, or any other value of a document, is no longer than this; no name or address is a megabyte long.
pub(crate) const LONGEST_RECORD_BYTES: usize = 1 << 20;
