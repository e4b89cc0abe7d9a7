//! A set of lanes, one bit per source of a block, and counters that add up such sets lane by lane.

/// One bit per source; bit `l % 64` of word `l / 64` is lane `l`.
pub(super) type Lanes<const W: usize> = [u64; W];

pub(super) const fn none<const W: usize>() -> Lanes<W> {
    [0; W]
}

/// The first `count` lanes.
pub(super) fn first<const W: usize>(count: usize) -> Lanes<W> {
    std::array::from_fn(|word| match count.saturating_sub(word * 64) {
        0 => 0,
        bits @ 1..64 => (1 << bits) - 1,
        _ => u64::MAX,
    })
}

#[inline]
pub(super) fn is_none<const W: usize>(lanes: &Lanes<W>) -> bool {
    let mut any = 0;
    for word in lanes {
        any |= word;
    }
    any == 0
}

#[inline]
pub(super) fn add<const W: usize>(to: &mut Lanes<W>, lanes: &Lanes<W>) {
    for word in 0..W {
        to[word] |= lanes[word];
    }
}

/// `lanes` without those of `without`.
#[inline]
pub(super) fn less<const W: usize>(lanes: &Lanes<W>, without: &Lanes<W>) -> Lanes<W> {
    let mut rest = *lanes;
    for word in 0..W {
        rest[word] &= !without[word];
    }
    rest
}

pub(super) fn insert<const W: usize>(lanes: &mut Lanes<W>, lane: usize) {
    lanes[lane / 64] |= 1 << (lane % 64);
}

pub(super) fn contains<const W: usize>(lanes: &Lanes<W>, lane: usize) -> bool {
    lanes[lane / 64] >> (lane % 64) & 1 == 1
}

const LEVELS: usize = u32::BITS as usize;

/// How many of the sets added hold each lane, in bit-sliced form.
///
/// A tree of carry-save adders (Harley and Seal's population count, taken sideways): every second set of weight 2^k
/// joins the sum of that weight and hands one set of weight 2^(k+1) on. About one full adder per set and word, whatever
/// the number of bits set.
pub(super) struct LaneCounters<const W: usize> {
    sums: [Lanes<W>; LEVELS],
    /// Sets that wait for a second of their weight; weight 2^k waits iff bit k of `added` is set.
    waiting: [Lanes<W>; LEVELS],
    added: u32,
}

impl<const W: usize> LaneCounters<W> {
    pub(super) fn new() -> Self {
        Self {
            sums: [none(); LEVELS],
            waiting: [none(); LEVELS],
            added: 0,
        }
    }

    /// At most 2^32 − 1 sets, which is more than there are ordinals.
    pub(super) fn add(&mut self, lanes: &Lanes<W>) {
        let mut carry = *lanes;
        let free = self.added.trailing_ones() as usize;
        for level in 0..free {
            let (sum, waiting) = (&mut self.sums[level], &self.waiting[level]);
            for word in 0..W {
                let (a, b, c) = (sum[word], waiting[word], carry[word]);
                sum[word] = a ^ b ^ c;
                carry[word] = (a & b) | (c & (a ^ b));
            }
        }
        self.waiting[free] = carry;
        self.added += 1;
    }

    pub(super) fn count(&self, lane: usize) -> u32 {
        (0..LEVELS)
            .map(|level| {
                let sum = u32::from(contains(&self.sums[level], lane));
                let waits = self.added >> level & 1;
                let waiting = waits * u32::from(contains(&self.waiting[level], lane));
                (sum + waiting) << level
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_lanes_fill_word_by_word() {
        assert_eq!(first::<2>(0), [0, 0]);
        assert_eq!(first::<2>(3), [0b111, 0]);
        assert_eq!(first::<2>(64), [u64::MAX, 0]);
        assert_eq!(first::<2>(65), [u64::MAX, 1]);
        assert_eq!(first::<2>(128), [u64::MAX, u64::MAX]);
    }

    proptest! {
        #[test]
        fn counters_count_each_lane_of_the_sets_added(
            sets in prop::collection::vec(any::<[u64; 2]>(), 0..200)
        ) {
            let mut counters = LaneCounters::<2>::new();
            for set in &sets {
                counters.add(set);
            }
            for lane in 0..128 {
                let expected = sets.iter().filter(|set| contains(set, lane)).count();
                prop_assert_eq!(counters.count(lane) as usize, expected);
            }
        }
    }
}
