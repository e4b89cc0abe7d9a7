//! Random draws that are the same on every machine: ChaCha8 keyed by the seed, one stream per table, and no function of
//! the platform's mathematics library (`libm` is compiled from Rust).

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Says which batches belong together: another generator with the same seed must not repeat these.
const KEY_TAIL: &[u8; 24] = b"kycc synthetic batch   1";

/// One independent stream per purpose, so that more draws for one table change no other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Population = 0,
    Network = 1,
    Parties = 2,
    Accounts = 3,
    Transactions = 4,
    Relationships = 5,
    Outcomes = 6,
}

#[derive(Debug)]
pub(crate) struct Draws {
    generator: ChaCha8Rng,
}

impl Draws {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(KEY_TAIL);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream as u64);
        Self { generator }
    }

    /// Uniform over [0, 1), in steps of 2^-32: finer than any probability here, at half the keystream of 53 bits.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.generator.next_u32()) / 4_294_967_296.0
    }

    /// Uniform over 0..n. The bias of the multiplication is below n / 2^64.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.generator.next_u64()) * u128::from(n)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Close to a standard normal: four 16-bit uniforms of one word, summed, within ±3.47. Enough for a synthetic
    /// population, four times cheaper than the exact one, and exact arithmetic on every machine.
    pub(crate) fn normal(&mut self) -> f64 {
        let word = self.generator.next_u64();
        let sum = (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + (word >> 48);
        (sum as f64 / 65_535.0 - 2.0) * SQRT_3
    }

    /// A whole number whose mean is `mean`.
    pub(crate) fn round(&mut self, mean: f64) -> u64 {
        (mean + self.unit()) as u64
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        // Fewer than 2^32 choices, else the product overflows: the spec bounds parties and edges.
        choices[((u64::from(self.generator.next_u32()) * choices.len() as u64) >> 32) as usize]
    }

    /// One of the choices, in proportion to its weight; weights sum to 1.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, f64)]) -> T {
        let mut left = self.unit();
        for &(choice, weight) in choices {
            if left < weight {
                return choice;
            }
            left -= weight;
        }
        choices[choices.len() - 1].0
    }
}

const SQRT_3: f64 = 1.732_050_807_568_877_2;

/// 1 / (1 + e^-x).
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_starts_with_the_same_numbers_on_every_machine() {
        let mut draws = Draws::new(42, Stream::Parties);
        let first: Vec<u64> = (0..3).map(|_| draws.below(1_000_000)).collect();
        assert_eq!(first, [235_774, 659_827, 499_074]);
    }

    #[test]
    fn streams_and_seeds_are_independent() {
        let first = |seed, stream| Draws::new(seed, stream).below(u64::MAX);
        assert_ne!(first(1, Stream::Parties), first(2, Stream::Parties));
        assert_ne!(first(1, Stream::Parties), first(1, Stream::Accounts));
    }

    #[test]
    fn the_normal_has_mean_zero_and_variance_one() {
        let mut draws = Draws::new(7, Stream::Population);
        let values: Vec<f64> = (0..20_000).map(|_| draws.normal()).collect();
        let mean = values.iter().sum::<f64>() / 20_000.0;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.04, "variance {variance}");
    }

    #[test]
    fn weighted_choices_come_up_in_proportion() {
        let mut draws = Draws::new(7, Stream::Population);
        let rare = (0..20_000)
            .filter(|_| draws.weighted(&[('a', 0.9), ('b', 0.1)]) == 'b')
            .count();
        assert!((1_800..2_200).contains(&rare), "{rare}");
    }
}
