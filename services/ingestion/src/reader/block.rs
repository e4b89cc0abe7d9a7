//! A run of whole records of one table, on its way from the thread that cuts to one that parses.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::core::table::Table;

/// Which field of the table each column of a file is; `Err` holds the name of a column that the table does not have.
pub(crate) type Layout = Arc<[Result<usize, String>]>;

#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) file: u32,
    pub(crate) origin: Origin,
    pub(crate) content: Content,
    /// Bytes of the input that have been read when this block was cut, this file alone.
    pub(crate) bytes_read: u64,
}

/// What the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Table(Table),
    /// Elements of an array of the document that no table has: looked at for outcomes, then left out.
    Other(Arc<str>),
}

#[derive(Debug)]
pub(crate) enum Content {
    Json(Text),
    Csv {
        text: Text,
        layout: Layout,
    },
    Columns {
        batch: RecordBatch,
        layout: Layout,
        first_row: u64,
    },
}

/// Records within a buffer.
#[derive(Debug, Default)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Vec<Span>,
    /// Row of a span is this plus its own.
    pub(crate) first_row: u64,
    /// Whether rows are indices of an array (from 1) rather than lines.
    pub(crate) indexed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Rows after the block's first.
    pub(crate) row: u32,
}

impl Span {
    /// Blocks are a few megabytes, far below 4 GiB.
    pub(crate) fn new(start: usize, end: usize, row: u64) -> Self {
        let small = |n: usize| u32::try_from(n).expect("a block is smaller than 4 GiB");
        Self {
            start: small(start),
            end: small(end),
            row: u32::try_from(row).expect("a block has fewer than 2^32 records"),
        }
    }
}
