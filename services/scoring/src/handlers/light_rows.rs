//! The few columns that comparisons of batches need: some forty bytes a party, so that many batches fit in memory.

use std::sync::Arc;

use arrow::array::{AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use kycc_lake::VersionId;
use tonic::Status;

use super::published::{PublishedScores, internal};
use crate::core::moved::Outcomes;

/// Party, score, final score and band of every party of one version of `scores`.
#[derive(Debug)]
pub(crate) struct LightRows {
    party: StringArray,
    score: Int32Array,
    final_score: Int32Array,
    band: StringArray,
}

const COLUMNS: [&str; 4] = ["party_id", "score", "final_score", "band"];

impl PublishedScores {
    pub(super) async fn light_rows(&self, version: &VersionId) -> Result<Arc<LightRows>, Status> {
        let read = async || {
            let rows = self.lake.read(version, Some(&COLUMNS), None).await;
            rows.map(|rows| LightRows::of(&rows))
        };
        let rows = self.light.get(version, LightRows::bytes, read).await;
        rows.map_err(internal)
    }
}

impl LightRows {
    fn of(rows: &RecordBatch) -> Self {
        let whole = |at: usize| rows.column(at).as_primitive::<Int32Type>().clone();
        let text = |at: usize| rows.column(at).as_string::<i32>().clone();
        Self {
            party: text(0),
            score: whole(1),
            final_score: whole(2),
            band: text(3),
        }
    }

    fn bytes(&self) -> usize {
        use arrow::array::Array as _;
        let texts = [&self.party, &self.band];
        let numbers = [&self.score, &self.final_score];
        texts
            .map(|column| column.get_array_memory_size())
            .iter()
            .sum::<usize>()
            + numbers
                .map(|column| column.get_array_memory_size())
                .iter()
                .sum::<usize>()
    }

    pub(super) fn score(&self, at: usize) -> i32 {
        self.score.value(at)
    }

    /// Row of a party, if it is there; ids are in byte order.
    pub(super) fn row_of(&self, party: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.parties());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.party.value(middle) < party {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.parties() && self.party.value(low) == party).then_some(low)
    }
}

impl Outcomes for LightRows {
    fn parties(&self) -> usize {
        self.final_score.len()
    }

    fn party(&self, at: usize) -> &str {
        self.party.value(at)
    }

    fn final_score(&self, at: usize) -> i32 {
        self.final_score.value(at)
    }

    fn band(&self, at: usize) -> &str {
        self.band.value(at)
    }
}
