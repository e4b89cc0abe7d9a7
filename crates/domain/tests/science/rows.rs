//! The rows that `fixtures/science.py` draws, by the same formula.

use serde_json::Value;

pub(crate) const COLUMNS: usize = 5;

pub(crate) struct Rows {
    pub(crate) factors: Vec<f64>,
    pub(crate) bad: Vec<bool>,
    pub(crate) weights: Vec<f64>,
    /// In steps of a twentieth.
    pub(crate) tied: Vec<f64>,
    pub(crate) other: Vec<f64>,
    pub(crate) distinct: Vec<f64>,
}

/// Knuth's MMIX generator, its upper 53 bits over 2⁵³.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn take(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub(crate) fn fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/science.json")).unwrap()
}

pub(crate) fn rows(fixture: &Value) -> Rows {
    let mut draws = Draws::new(2026);
    let bad: Vec<bool> = fixture["labels"]
        .as_str()
        .unwrap()
        .bytes()
        .map(|label| label == b'1')
        .collect();
    let mut rows = Rows {
        factors: Vec::new(),
        bad: Vec::new(),
        weights: Vec::new(),
        tied: Vec::new(),
        other: Vec::new(),
        distinct: Vec::new(),
    };
    for bad in bad {
        let [a, b, c, d, e] = std::array::from_fn(|_| draws.take());
        let rare = f64::from(u8::from(e < 0.1));
        rows.factors
            .extend([a, 3.0 * b - 1.0, (5.0 * c).floor(), 0.7 * a + 0.3 * d, rare]);
        rows.weights.push((4.0 * draws.take()).floor() / 2.0);
        // The draw that decided the label.
        draws.take();
        let one = f64::from(u8::from(bad));
        rows.tied
            .push((1.0 + (14.0 * draws.take() + 4.0 * one).floor()) / 20.0);
        rows.other
            .push((1.0 + (17.0 * draws.take() + 1.0 * one).floor()) / 20.0);
        rows.distinct.push(0.02 + 0.7 * draws.take() + 0.25 * one);
        rows.bad.push(bad);
    }
    rows
}
