//! A few order statistics of a large sample without sorting it: values are counted in equal-width buckets, then only
//! the buckets that hold a wanted rank are sorted.

use rayon::prelude::*;

/// Below this sorting everything is quicker.
const SMALL: usize = 4_096;

const BUCKETS: usize = 4_096;

/// Rows per task; counts and gathered values do not depend on the cut.
const CHUNK_ROWS: usize = 65_536;

/// The values of the given ranks (0 is the least) of a finite sample.
///
/// # Panics
/// If a rank is not below the sample's length.
pub(super) fn order_statistics(sample: &[f64], ranks: &[usize]) -> Vec<f64> {
    if sample.len() < SMALL {
        let mut sorted = sample.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        return ranks.iter().map(|rank| sorted[*rank]).collect();
    }
    let buckets = Buckets::over(sample);
    let counts = buckets.count(sample);
    let mut wanted = vec![false; BUCKETS];
    let places: Vec<(usize, usize)> = ranks.iter().map(|rank| locate(&counts, *rank)).collect();
    for (bucket, _) in &places {
        wanted[*bucket] = true;
    }
    let gathered = buckets.gather(sample, &wanted);
    places
        .iter()
        .map(|(bucket, within)| {
            // The gathered buckets lie one behind the other, in order.
            let before: usize = (0..*bucket).filter(|b| wanted[*b]).map(|b| counts[b]).sum();
            gathered[before + within]
        })
        .collect()
}

/// Equal-width buckets over the sample's range. Rounding moves borders, but never lets a greater value into a lower
/// bucket: subtraction, multiplication and truncation are monotone.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    low: f64,
    per_unit: f64,
}

impl Buckets {
    fn over(sample: &[f64]) -> Self {
        let (low, high) = sample
            .par_chunks(CHUNK_ROWS)
            .map(|chunk| {
                let low = chunk
                    .iter()
                    .fold(f64::INFINITY, |a, v| if *v < a { *v } else { a });
                let high = chunk
                    .iter()
                    .fold(f64::NEG_INFINITY, |a, v| if *v > a { *v } else { a });
                (low, high)
            })
            .reduce(
                || (f64::INFINITY, f64::NEG_INFINITY),
                |a, b| (a.0.min(b.0), a.1.max(b.1)),
            );
        // A range without width or beyond the greatest float makes this infinite or 0; all share bucket 0 then.
        let per_unit = BUCKETS as f64 / (high - low);
        Self {
            low,
            per_unit: if per_unit.is_finite() { per_unit } else { 0.0 },
        }
    }

    fn of(self, value: f64) -> usize {
        // An infinite difference times 0 is NaN, which converts to 0.
        (((value - self.low) * self.per_unit) as usize).min(BUCKETS - 1)
    }

    fn count(self, sample: &[f64]) -> Vec<usize> {
        sample
            .par_chunks(CHUNK_ROWS)
            .map(|chunk| {
                let mut counts = vec![0usize; BUCKETS];
                for value in chunk {
                    counts[self.of(*value)] += 1;
                }
                counts
            })
            .reduce(
                || vec![0; BUCKETS],
                |mut a, b| {
                    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    a
                },
            )
    }

    /// The values of the wanted buckets, ascending.
    fn gather(self, sample: &[f64], wanted: &[bool]) -> Vec<f64> {
        let mut gathered: Vec<f64> = sample
            .par_chunks(CHUNK_ROWS)
            .flat_map_iter(|chunk| {
                chunk
                    .iter()
                    .copied()
                    .filter(|value| wanted[self.of(*value)])
            })
            .collect();
        gathered.par_sort_unstable_by(f64::total_cmp);
        gathered
    }
}

/// The bucket of a rank, and the rank within it.
fn locate(counts: &[usize], rank: usize) -> (usize, usize) {
    let mut before = 0;
    for (bucket, count) in counts.iter().enumerate() {
        if rank < before + count {
            return (bucket, rank - before);
        }
        before += count;
    }
    panic!("rank {rank} of {before} values");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(sample: &[f64], ranks: &[usize]) -> Vec<f64> {
        let mut sorted = sample.to_vec();
        sorted.sort_by(f64::total_cmp);
        ranks.iter().map(|rank| sorted[*rank]).collect()
    }

    #[test]
    fn constant_skewed_and_enormous_samples_are_no_exception() {
        let n = 3 * SMALL;
        let ranks = [0, 1, n / 10, n / 2, n - 1];
        let samples: [fn(usize) -> f64; 4] = [
            |_| -2.5,
            |i| (i as f64 * 0.37).sin().exp().powi(40),
            |i| {
                if i % 2 == 0 {
                    f64::MAX
                } else {
                    -f64::MAX * (i as f64 / 1e6)
                }
            },
            |i| {
                if i == 77 {
                    1e300
                } else {
                    (i * 7919 % 1000) as f64
                }
            },
        ];
        for sample in samples {
            let values: Vec<f64> = (0..n).map(sample).collect();
            assert_eq!(order_statistics(&values, &ranks), naive(&values, &ranks));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn ranks_are_those_of_the_sorted_sample(seed in any::<u64>(), distinct in 1u64..2_000) {
            let values: Vec<f64> = (0..SMALL as u64 + 500)
                .map(|i| ((i ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % distinct)
                .map(|v| v as f64 / 3.0 - 50.0)
                .collect();
            let ranks: Vec<usize> = (0..10).map(|k| k * (values.len() - 1) / 9).collect();
            prop_assert_eq!(order_statistics(&values, &ranks), naive(&values, &ranks));
        }
    }
}
