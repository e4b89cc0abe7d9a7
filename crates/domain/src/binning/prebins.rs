//! Pre-bins: the narrowest bins, among whose edges the search chooses.

use super::column::Run;
use super::evidence::Counts;

/// Where the pre-bins begin among the runs, at most `most` of about equal weight. A value is never divided: one that
/// outweighs its share fills a pre-bin and the others share what is left, and with no more than `most` values each is
/// its own pre-bin. The first begins at 0, even without runs.
pub(super) fn quantile_prebins(runs: &[Run], most: usize) -> Vec<usize> {
    if runs.len() <= most {
        return (0..runs.len().max(1)).collect();
    }
    let mut left: f64 = runs.iter().map(|run| run.counts.weight()).sum();
    let mut starts = vec![0];
    let (mut open, mut share) = (0.0, left / most as f64);
    for (at, run) in runs.iter().enumerate() {
        let weight = run.counts.weight();
        // Close where the pre-bin comes nearest to its share, above or below it.
        let full = open >= share || open + weight - share > share - open;
        if open > 0.0 && full && starts.len() < most {
            left -= open;
            share = left / (most - starts.len()) as f64;
            starts.push(at);
            open = 0.0;
        }
        open += weight;
    }
    starts
}

/// The counts of the stretches that begin at `starts`.
pub(super) fn counts_from(runs: &[Run], starts: &[usize]) -> Vec<Counts> {
    let end = |at: usize| starts.get(at + 1).copied().unwrap_or(runs.len());
    starts
        .iter()
        .enumerate()
        .map(|(at, &start)| {
            runs[start..end(at)]
                .iter()
                .fold(Counts::default(), |sum, run| sum.plus(run.counts))
        })
        .collect()
}

/// The counts between given cuts, one more than those.
pub(super) fn counts_between(runs: &[Run], cuts: &[f64]) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); cuts.len() + 1];
    let mut at = 0;
    for run in runs {
        while cuts.get(at).is_some_and(|cut| *cut <= run.value) {
            at += 1;
        }
        counts[at] = counts[at].plus(run.counts);
    }
    counts
}

/// The shortest decimal in `(below, first]`: no row tells the choices apart, and people read the cuts.
pub(super) fn readable_cut(below: f64, first: f64) -> f64 {
    let size = below.abs().max(first.abs());
    let top = size.max(f64::MIN_POSITIVE).log10().floor() as i32;
    for exponent in (top - 16..=top).rev() {
        let power = 10f64.powi(exponent.abs());
        let cut = if exponent >= 0 {
            (first / power).floor() * power
        } else {
            (first * power).floor() / power
        };
        if below < cut && cut <= first {
            return cut;
        }
    }
    first
}
