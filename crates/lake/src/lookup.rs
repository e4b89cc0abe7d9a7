//! Published per-party versions held in memory, so that one party's row is a binary search away.

use crate::error::LakeError;
use crate::lake::Lake;
use crate::recent::Recent;
use crate::version::VersionId;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// A whole version of a per-party dataset, in party order.
#[derive(Debug)]
pub struct PartyTable {
    rows: RecordBatch,
    party_ids: StringArray,
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl PartyTable {
    /// # Errors
    /// Where the version is not there or cannot be read.
    ///
    /// # Panics
    /// If the dataset is not one with a row per party: that is a mistake in the program, not in data.
    async fn load(lake: &Lake, id: &VersionId) -> Result<Self, LakeError> {
        let rows = lake.read(id, None, None).await?;
        let party_ids = rows
            .column_by_name("party_id")
            .expect("a per-party dataset has a column party_id")
            .as_string::<i32>()
            .clone();
        Ok(Self {
            rows,
            party_ids,
            prepared: OnceLock::new(),
        })
    }

    /// All rows; row i is the party with ordinal i.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// The party of a row.
    pub fn party(&self, row: usize) -> &str {
        self.party_ids.value(row)
    }

    /// What a reader makes of the rows once, such as its columns by type; held as long as the table. A table has one reader.
    ///
    /// # Panics
    /// If two readers prepare different things: that is a mistake in the program.
    pub fn prepared<T: Send + Sync + 'static>(&self, make: impl FnOnce(&RecordBatch) -> T) -> &T {
        let prepared = self.prepared.get_or_init(|| Box::new(make(&self.rows)));
        let prepared = prepared.downcast_ref();
        prepared.expect("a table is prepared by one reader")
    }

    /// Row of a party, if the version holds it.
    pub fn row_of(&self, party: &str) -> Option<usize> {
        let at = self.partition(|id| id < party.as_bytes());
        (at < self.party_ids.len() && self.party_ids.value(at) == party).then_some(at)
    }

    /// Row of the first party that comes after `party`, which need not be there itself.
    pub fn first_after(&self, party: &str) -> usize {
        self.partition(|id| id <= party.as_bytes())
    }

    /// The first row whose party id does not satisfy `before`; ids are in byte order.
    fn partition(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.party_ids.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.party_ids.value(middle).as_bytes()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Used together: a batch's scores, and the features that they were made of.
const KEEP: usize = 2;

/// The versions asked for last. Versions are immutable, so what is held is never stale.
#[derive(Debug)]
pub struct PartyTables {
    lake: Lake,
    held: Recent<VersionId, PartyTable>,
}

impl PartyTables {
    /// Holds versions of `most_bytes` together, and the two asked for last whatever their size.
    pub fn new(lake: Lake, most_bytes: usize) -> Self {
        Self {
            lake,
            held: Recent::new(most_bytes, KEEP),
        }
    }

    /// The version's rows, read from the lake unless they are held; read once, however many ask at the same time.
    pub async fn get(&self, id: &VersionId) -> Result<Arc<PartyTable>, LakeError> {
        let weigh = |table: &PartyTable| table.rows.get_array_memory_size();
        let load = || PartyTable::load(&self.lake, id);
        self.held.get(id, weigh, load).await
    }

    /// The version's rows, if they are held.
    pub fn peek(&self, id: &VersionId) -> Option<Arc<PartyTable>> {
        self.held.peek(id)
    }
}
