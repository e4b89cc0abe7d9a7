//! Published per-party versions held in memory, so that one party's row is a binary search away.

use crate::error::LakeError;
use crate::lake::Lake;
use crate::version::VersionId;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// A whole version of a per-party dataset, in party order.
#[derive(Debug)]
pub struct PartyTable {
    rows: RecordBatch,
    party_ids: StringArray,
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
        Ok(Self { rows, party_ids })
    }

    /// All rows; row i is the party with ordinal i.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
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

/// The few versions asked for last. Versions are immutable, so what is held is never stale.
#[derive(Debug)]
pub struct PartyTables {
    lake: Lake,
    capacity: usize,
    /// Newest use last.
    held: Mutex<VecDeque<(VersionId, Arc<PartyTable>)>>,
}

impl PartyTables {
    /// Holds at most `capacity` versions (at least 1).
    pub fn new(lake: Lake, capacity: usize) -> Self {
        Self {
            lake,
            capacity: capacity.max(1),
            held: Mutex::new(VecDeque::new()),
        }
    }

    /// The version's rows, read from the lake unless they are held.
    pub async fn get(&self, id: &VersionId) -> Result<Arc<PartyTable>, LakeError> {
        if let Some(table) = self.touch(id) {
            return Ok(table);
        }
        let table = Arc::new(PartyTable::load(&self.lake, id).await?);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(other, _)| other != id);
        held.push_back((id.clone(), Arc::clone(&table)));
        while held.len() > self.capacity {
            held.pop_front();
        }
        Ok(table)
    }

    fn touch(&self, id: &VersionId) -> Option<Arc<PartyTable>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|(other, _)| other == id)?;
        let entry = held.remove(at)?;
        let table = Arc::clone(&entry.1);
        held.push_back(entry);
        Some(table)
    }
}
