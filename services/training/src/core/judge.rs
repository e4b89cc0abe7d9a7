//! How well probabilities tell bad from good on rows that did not train: figures, their intervals, curves.

use kycc_domain::metrics::{
    BOOTSTRAP_REPLICATES, BootstrapIntervals, Curves, DEFAULT_CUTOFF, HoldoutMetrics, MetricError,
    bootstrap, evaluate,
};

/// Rows times replicates that a bootstrap may draw: some two seconds of one core. Up to 200,000 rows all replicates fit.
const MOST_DRAWS: usize = 200_000_000;

/// Fewer replicates say nothing of the 2.5 % points.
const FEWEST_REPLICATES: usize = 200;

/// Below this in either class every replicate would hold the same rows of it.
const LEAST_OF_A_CLASS: usize = 2;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) metrics: HoldoutMetrics,
    /// Of KS, average precision, Brier and log-loss; AUC and Gini have DeLong's with the metrics.
    pub(crate) bootstrap: Option<BootstrapIntervals>,
    pub(crate) curves: Curves,
}

/// Both classes are needed.
pub(crate) fn judge(pd: &[f64], bad: &[bool], seed: u64) -> Result<Judged, MetricError> {
    let metrics = evaluate(pd, bad, DEFAULT_CUTOFF)?;
    let fewest = metrics.bads.min(metrics.rows - metrics.bads);
    let bootstrap = (fewest >= LEAST_OF_A_CLASS)
        .then(|| bootstrap(pd, bad, replicates(pd.len()), seed))
        .transpose()?;
    Ok(Judged {
        metrics,
        bootstrap,
        curves: Curves::of(pd, bad)?,
    })
}

/// A holdout so large that a thousand replicates would take longer than all of the training gets fewer: its intervals
/// are narrow, and their ends need be known the less exactly.
fn replicates(rows: usize) -> usize {
    (MOST_DRAWS / rows.max(1)).clamp(FEWEST_REPLICATES, BOOTSTRAP_REPLICATES)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every fifth row is bad; scores overlap.
    fn sample(rows: usize) -> (Vec<f64>, Vec<bool>) {
        (0..rows)
            .map(|row| {
                let bad = row % 5 == 0;
                let noise = (row * 7919 % 997) as f64 / 997.0;
                (0.6 * noise + if bad { 0.3 } else { 0.1 }, bad)
            })
            .unzip()
    }

    #[test]
    fn every_interval_holds_its_figure_and_depends_on_the_seed_alone() {
        let (pd, bad) = sample(600);
        let judged = judge(&pd, &bad, 42).unwrap();
        let intervals = judged.bootstrap.unwrap();
        assert_eq!(intervals.replicates, 1_000);
        for (interval, figure) in [
            (intervals.ks, judged.metrics.ks),
            (intervals.brier.unwrap(), judged.metrics.brier),
            (intervals.log_loss.unwrap(), judged.metrics.log_loss),
        ] {
            assert!((interval.value - figure).abs() < 1e-12);
            assert!(interval.lower < figure && figure < interval.upper);
        }
        let again = judge(&pd, &bad, 42).unwrap();
        assert_eq!(again.bootstrap, Some(intervals));
        let other = judge(&pd, &bad, 43).unwrap();
        assert_ne!(other.bootstrap, Some(intervals));
    }

    #[test]
    fn one_row_of_a_class_has_figures_and_curves_but_no_intervals() {
        let (pd, mut bad) = sample(50);
        bad.iter_mut().skip(1).for_each(|bad| *bad = false);
        let judged = judge(&pd, &bad, 0).unwrap();
        assert!(judged.bootstrap.is_none() && judged.metrics.auc_interval.is_none());
        assert!(!judged.curves.roc.is_empty());
    }

    #[test]
    fn one_class_is_an_error() {
        let refused = judge(&[0.1, 0.2], &[false, false], 0).unwrap_err();
        assert_eq!(refused.reason(), "SINGLE_CLASS");
    }

    #[test]
    fn large_holdouts_get_fewer_replicates_but_never_too_few() {
        assert_eq!(replicates(200_000), 1_000);
        assert_eq!(replicates(400_000), 500);
        assert_eq!(replicates(50_000_000), 200);
    }
}
