//! The elements of a JSON array, without ever holding two of them, each with the line on which it begins.

use std::cell::Cell;
use std::fmt;
use std::io::{BufRead, Read};

use anyhow::anyhow;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use super::outcome::outcome;
use super::{Record, line_feeds, why};

/// `line`: where the reader stands, from 1.
///
/// # Errors
/// Where the array breaks off.
pub(super) fn read(
    reader: impl BufRead,
    line: u64,
    take: &mut dyn FnMut(Record) -> bool,
) -> anyhow::Result<()> {
    let line = Cell::new(line);
    let counted = Counted {
        reader,
        line: &line,
    };
    let mut json = serde_json::Deserializer::from_reader(counted);
    let mut stopped = false;
    let end = json.deserialize_seq(Elements {
        line: &line,
        take,
        stopped: &mut stopped,
    });
    if stopped {
        Ok(())
    } else {
        end.and_then(|()| json.end())
            .map_err(|error| anyhow!("line {}: {}", line.get(), why(&error)))
    }
}

/// Counts lines as they are read. The parser takes one byte at a time, so the count is that of the byte it stands on.
struct Counted<'a, R> {
    reader: R,
    line: &'a Cell<u64>,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.line
            .set(self.line.get() + line_feeds(&buffer[..count]));
        Ok(count)
    }
}

struct Elements<'a> {
    line: &'a Cell<u64>,
    take: &'a mut dyn FnMut(Record) -> bool,
    stopped: &'a mut bool,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of outcomes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some((line, record)) = elements.next_element_seed(Element(self.line))? {
            let outcome = outcome(&record);
            if !(self.take)(Record { line, outcome }) {
                *self.stopped = true;
                break;
            }
        }
        Ok(())
    }
}

/// One element; the parser has read its first byte when it asks for it, and no further.
struct Element<'a>(&'a Cell<u64>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = (u64, Value);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let line = self.0.get();
        Ok((line, serde::Deserialize::deserialize(from)?))
    }
}
