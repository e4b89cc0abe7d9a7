//! How a large batch is cut: contiguous ranges of party ordinals, whose ends are multiples of a digest block, so that
//! the blocks of all shards, one after the other, are the blocks of the whole.

use crate::digest::BLOCK_ROWS;
use std::fmt;
use std::ops::Range;

/// Which part of a version a task makes; `WHOLE` where it makes all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    pub index: u32,
    pub count: u32,
}

impl Shard {
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The ordinals of this shard in a batch of `parties`.
    pub fn ordinals(self, parties: u32) -> Range<u32> {
        ordinals(parties, self.index, self.count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-of-{:04}", self.index, self.count)
    }
}

/// The ordinals of shard `index` of `count`. Empty where the batch has fewer blocks than there are shards.
pub fn ordinals(parties: u32, index: u32, count: u32) -> Range<u32> {
    let blocks = u64::from(parties).div_ceil(BLOCK_ROWS as u64);
    let cut = |index: u32| {
        let row = blocks * u64::from(index) / u64::from(count.max(1)) * BLOCK_ROWS as u64;
        u32::try_from(row.min(u64::from(parties))).expect("bounded by parties")
    };
    cut(index.min(count))..cut(index.saturating_add(1).min(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_batches_leave_shards_empty() {
        let ranges: Vec<_> = (0..7).map(|i| ordinals(1500, i, 7)).collect();
        assert_eq!(ranges.iter().filter(|r| !r.is_empty()).count(), 2);
        assert_eq!(ordinals(0, 0, 1), 0..0);
        assert_eq!(ordinals(100, 0, 1), 0..100);
    }

    proptest! {
        #[test]
        fn shards_tile_the_batch_and_are_cut_at_blocks(parties in 0u32..5_000_000, count in 1u32..64) {
            let mut next = 0;
            for index in 0..count {
                let range = ordinals(parties, index, count);
                prop_assert_eq!(range.start, next);
                prop_assert!(range.end == parties || range.end.is_multiple_of(BLOCK_ROWS as u32));
                next = range.end;
            }
            prop_assert_eq!(next, parties);
        }
    }
}
