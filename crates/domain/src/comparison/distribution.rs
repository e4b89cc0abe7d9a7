//! A column of scores in a few figures.

use serde::{Deserialize, Serialize};

/// Where scores lie. Quantiles interpolate linearly between order statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    pub mean: f64,
    /// Of the population: divided by n.
    pub standard_deviation: f64,
    pub min: f64,
    pub p05: f64,
    pub p25: f64,
    pub median: f64,
    pub p75: f64,
    pub p95: f64,
    pub max: f64,
}

impl Distribution {
    /// Of finite values; all 0 of none, which no comparison asks for.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        // Over sorted values, so that the order of the parties does not show.
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let at = |hundredths: usize| quantile(&values, hundredths);
        Self {
            mean,
            standard_deviation: (squares / count).sqrt(),
            min: at(0),
            p05: at(5),
            p25: at(25),
            median: at(50),
            p75: at(75),
            p95: at(95),
            max: at(100),
        }
    }
}

fn quantile(sorted: &[f64], hundredths: usize) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let (whole, rest) = (hundredths * last / 100, hundredths * last % 100);
    let (low, high) = (sorted[whole], sorted[(whole + 1).min(last)]);
    low + (high - low) * (rest as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_values() {
        let of = Distribution::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((of.mean, of.min, of.median, of.max), (3.0, 1.0, 3.0, 5.0));
        assert_eq!((of.p25, of.p75), (2.0, 4.0));
        assert!((of.p05 - 1.2).abs() < 1e-12 && (of.p95 - 4.8).abs() < 1e-12);
        assert!((of.standard_deviation - 2f64.sqrt()).abs() < 1e-12);
        let one = Distribution::of(vec![7.0]);
        assert_eq!((one.standard_deviation, one.p05, one.p95), (0.0, 7.0, 7.0));
    }
}
