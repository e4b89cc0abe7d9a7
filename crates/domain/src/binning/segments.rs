//! The exact search: of all ways to join neighbouring pre-bins that keep the rules, the one of greatest information value.
//!
//! The state is the last bin, so that its bad rate is known when the next one is added:
//! `best(i, j) = iv(i, j) + max { best(h, i) : h < i, rate(h, i) precedes rate(i, j) }` over pre-bins `i..j`.

use super::Trend;
use super::evidence::Counts;

/// Every run of neighbouring pre-bins.
#[derive(Debug)]
pub(super) struct Segments {
    prebins: usize,
    rate: Vec<f64>,
    /// Minus infinity where the segment has too few rows to be a bin.
    iv: Vec<f64>,
}

/// Where the bins of a solution begin, 0 first, and their part of the information value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) starts: Vec<usize>,
    pub(super) iv: f64,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Any,
    Up,
    Down,
}

impl Step {
    fn allows(self, before: f64, after: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Up => before < after,
            Self::Down => before > after,
        }
    }
}

impl Segments {
    pub(super) fn new(prebins: &[Counts], min_share: f64, totals: Counts) -> Self {
        let n = prebins.len();
        // A share like 0.07 of 100 rows is 7 rows, although the product is a little more.
        let least = min_share * totals.weight() * (1.0 - 1e-9);
        let mut rate = vec![0.0; n * (n + 1)];
        let mut iv = vec![f64::NEG_INFINITY; n * (n + 1)];
        for i in 0..n {
            let mut counts = Counts::default();
            for j in i + 1..=n {
                counts = counts.plus(prebins[j - 1]);
                if counts.rows > 0 && counts.weight() >= least {
                    rate[i * (n + 1) + j] = counts.bad_rate();
                    iv[i * (n + 1) + j] = counts.evidence(totals).1;
                }
            }
        }
        Self {
            prebins: n,
            rate,
            iv,
        }
    }

    fn at(&self, i: usize, j: usize) -> usize {
        i * (self.prebins + 1) + j
    }

    /// `None` if no division keeps the rules.
    pub(super) fn best(&self, trend: Trend, max_bins: Option<usize>) -> Option<Solution> {
        let steps: &[Step] = match trend {
            Trend::Ascending => &[Step::Up],
            Trend::Descending => &[Step::Down],
            Trend::Peak => &[Step::Up, Step::Down],
            Trend::Valley => &[Step::Down, Step::Up],
            Trend::None | Trend::Auto => &[Step::Any],
        };
        Search::run(self, steps, max_bins).solution()
    }
}

/// Table of the states (layer, leg, last bin). A leg is one direction of the trend. With a limit on the number of bins
/// there is a layer for each number; without one a single layer builds on itself.
#[derive(Debug)]
struct Search<'a> {
    segments: &'a Segments,
    legs: usize,
    layers: usize,
    value: Vec<f64>,
    /// The state before; a first bin has none.
    before: Vec<Option<usize>>,
}

impl<'a> Search<'a> {
    fn run(segments: &'a Segments, steps: &[Step], max_bins: Option<usize>) -> Self {
        let n = segments.prebins;
        let limit = max_bins.filter(|most| *most < n);
        let layers = limit.unwrap_or(1);
        let states = layers * steps.len() * segments.iv.len();
        let mut search = Self {
            segments,
            legs: steps.len(),
            layers,
            value: vec![f64::NEG_INFINITY; states],
            before: vec![None; states],
        };
        for j in 1..=n {
            let state = search.state(0, 0, segments.at(0, j));
            search.value[state] = segments.iv[segments.at(0, j)];
        }
        for layer in 0..layers {
            let Some(from) = (if limit.is_some() {
                layer.checked_sub(1)
            } else {
                Some(layer)
            }) else {
                continue;
            };
            for i in 1..n {
                for j in i + 1..=n {
                    for (leg, &step) in steps.iter().enumerate() {
                        search.extend(from, layer, leg, step, (i, j));
                    }
                }
            }
        }
        search
    }

    fn state(&self, layer: usize, leg: usize, segment: usize) -> usize {
        (layer * self.legs + leg) * self.segments.iv.len() + segment
    }

    /// The best way to end in bin `i..j` on this leg, coming from a bin of this leg or of the one before.
    fn extend(
        &mut self,
        from: usize,
        layer: usize,
        leg: usize,
        step: Step,
        (i, j): (usize, usize),
    ) {
        let segment = self.segments.at(i, j);
        let own = self.segments.iv[segment];
        if own == f64::NEG_INFINITY {
            return;
        }
        let rate = self.segments.rate[segment];
        let mut best = (f64::NEG_INFINITY, None);
        for earlier in 0..=leg {
            for h in 0..i {
                let previous = self.segments.at(h, i);
                let state = self.state(from, earlier, previous);
                if self.value[state] > best.0 && step.allows(self.segments.rate[previous], rate) {
                    best = (self.value[state], Some(state));
                }
            }
        }
        let state = self.state(layer, leg, segment);
        if best.1.is_some() {
            self.value[state] = best.0 + own;
            self.before[state] = best.1;
        }
    }

    fn solution(&self) -> Option<Solution> {
        let n = self.segments.prebins;
        let mut best = (f64::NEG_INFINITY, None);
        for layer in 0..self.layers {
            for leg in 0..self.legs {
                for i in 0..n {
                    let state = self.state(layer, leg, self.segments.at(i, n));
                    if self.value[state] > best.0 {
                        best = (self.value[state], Some(state));
                    }
                }
            }
        }
        let mut next = best.1;
        let mut starts = Vec::new();
        while let Some(state) = next {
            starts.push(state % self.segments.iv.len() / (n + 1));
            next = self.before[state];
        }
        starts.reverse();
        (!starts.is_empty()).then_some(Solution { starts, iv: best.0 })
    }
}
