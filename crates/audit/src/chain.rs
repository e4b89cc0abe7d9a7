//! A chain followed anew, entry by entry.

use crate::{Entry, Head};

/// The first thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Of the entry at fault; 0 where it is none of them.
    pub sequence: i64,
    pub message: String,
}

impl Break {
    #[must_use]
    pub fn new(sequence: i64, message: impl Into<String>) -> Self {
        Self {
            sequence,
            message: message.into(),
        }
    }
}

/// Follows a chain from an entry that is trusted, or from its beginning.
#[derive(Debug)]
pub struct Chain<'a> {
    service: &'a str,
    head: Head,
    /// A hash that people kept; empty: none.
    known: &'a str,
    found: bool,
}

impl<'a> Chain<'a> {
    /// `found`: whether `known` was among the entries up to `from`.
    #[must_use]
    pub fn new(service: &'a str, from: Head, known: &'a str, found: bool) -> Self {
        Self {
            found: found || known.is_empty() || known == from.hash,
            service,
            head: from,
            known,
        }
    }

    /// The last entry that fitted.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    #[must_use]
    pub fn found(&self) -> bool {
        self.found
    }

    pub fn follow(&mut self, entry: &Entry) -> Result<(), Break> {
        let (last, next) = (self.head.sequence, self.head.sequence + 1);
        if entry.sequence != next {
            let came = entry.sequence;
            return Err(Break::new(
                next,
                format!("entry {next} is missing: after entry {last} comes entry {came}"),
            ));
        }
        if entry.work_out_hash() != entry.hash || entry.service != self.service {
            return Err(Break::new(
                next,
                format!("entry {next} was changed: its content is not what it was sealed with"),
            ));
        }
        if entry.previous_hash != self.head.hash {
            return Err(Break::new(
                next,
                format!(
                    "entry {next} does not follow entry {last}: one of the two was changed or replaced"
                ),
            ));
        }
        self.found |= entry.hash == self.known;
        self.head = entry.head();
        Ok(())
    }

    /// After the last entry of a log of so many.
    pub fn end(&self, entries: i64) -> Result<(), Break> {
        let last = self.head.sequence;
        if entries != last {
            return Err(Break::new(
                0,
                format!("the log has {entries} entries, of which {last} make a chain"),
            ));
        }
        if self.found {
            return Ok(());
        }
        Err(Break::new(
            0,
            format!(
                "no entry has the hash {}: the log was cut short or written anew since that hash was kept",
                self.known
            ),
        ))
    }
}
