//! How a card's scores are spread, and how often each tenth of them turned out bad.

use kycc_domain::psi::decile_edges;
use serde::Serialize;

use crate::fit::Fitted;

/// Raw scores of all rows, holdout included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreSummary {
    pub rows: usize,
    pub min: f64,
    pub mean: f64,
    pub max: f64,
    /// Tenths of the rows, worst first.
    pub bands: Vec<ScoreBand>,
}

/// Scores in `(low, high]`, open where a bound is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreBand {
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub rows: usize,
    pub bads: usize,
    /// Absent without rows.
    pub bad_rate: Option<f64>,
    pub mean_pd: Option<f64>,
}

impl ScoreSummary {
    pub(super) fn of(fitted: &Fitted<'_>, raw: &[f64]) -> Self {
        let edges = decile_edges(raw);
        let mut sums = vec![(0usize, 0usize, 0.0); edges.len() + 1];
        for ((score, bad), pd) in raw.iter().zip(&fitted.sample.bad).zip(&fitted.pd) {
            let (rows, bads, sum) = &mut sums[edges.partition_point(|edge| edge < score)];
            *rows += 1;
            *bads += usize::from(*bad);
            *sum += pd;
        }
        let bands = sums
            .into_iter()
            .enumerate()
            .map(|(at, (rows, bads, pd))| {
                let mean = |sum: f64| (rows > 0).then(|| sum / rows as f64);
                ScoreBand {
                    low: at.checked_sub(1).map(|at| edges[at]),
                    high: edges.get(at).copied(),
                    rows,
                    bads,
                    bad_rate: mean(bads as f64),
                    mean_pd: mean(pd),
                }
            })
            .collect();
        Self {
            rows: raw.len(),
            min: raw.iter().copied().fold(f64::INFINITY, f64::min),
            mean: raw.iter().sum::<f64>() / raw.len() as f64,
            max: raw.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            bands,
        }
    }
}
