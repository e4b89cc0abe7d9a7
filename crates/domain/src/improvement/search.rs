//! The least change of one feature that meets a condition on the decision: breakpoints first, then halving between two.

use super::Improvement;
use super::breakpoints::Breakpoints;
use super::trial::{Outcome, Party};
use crate::catalogue::{FEATURES, FeatureSpec};
use crate::rules::{Decision, RuleError};
use crate::scaling::Method;

/// The values of a feature that lie in the direction of more points, nearest first: step 0 is the smallest change.
#[derive(Debug, Clone, Copy)]
struct Path {
    spec: &'static FeatureSpec,
    first: i64,
    up: bool,
    /// No step beyond this tells anything new.
    last: i64,
}

/// One factor's smallest change that lifts the party to the band at `wanted`, or else to its highest score.
pub(super) fn least_change(
    party: &Party<'_>,
    factor: usize,
    wanted: usize,
) -> Result<Improvement, RuleError> {
    let feature = party.feature(factor);
    let current = party.row[feature];
    let now = party.outcome(factor, current)?;
    let breakpoints = Breakpoints::of(party.rules, &party.row, feature);
    let search = Search::new(party, factor, &breakpoints);
    let reached = |decision: &Decision| decision.band <= wanted;
    let (needed, reachable) = match search.first(reached)? {
        Some(value) => (value, true),
        None => {
            let best = search.highest(now.decision.final_score)?;
            let as_high = |decision: &Decision| decision.final_score >= best;
            let higher = best > now.decision.final_score;
            let value = if higher { search.first(as_high)? } else { None };
            (value.unwrap_or(current), false)
        }
    };
    let then = party.outcome(factor, needed)?;
    let spec = &FEATURES[feature];
    Ok(Improvement {
        feature: spec.name,
        unit: spec.unit,
        actionable: spec.actionable,
        reachable,
        current,
        needed,
        points_gained: then.points - now.points,
        final_score: then.decision.final_score,
        band: party.band_name(then.decision.band).to_owned(),
        change: (then.scaled - now.scaled).abs(),
    })
}

struct Search<'a> {
    party: &'a Party<'a>,
    factor: usize,
    path: Option<Path>,
    /// Steps between which no rule switches; ascending, the first and last step among them.
    stops: Vec<i64>,
}

impl<'a> Search<'a> {
    fn new(party: &'a Party<'a>, factor: usize, breakpoints: &Breakpoints) -> Self {
        let mut search = Self {
            party,
            factor,
            path: Path::of(party, factor, &breakpoints.feature),
            stops: Vec::new(),
        };
        if let Some(path) = search.path {
            search.stops = search.stops(&path, breakpoints);
        }
        search
    }

    fn stops(&self, path: &Path, breakpoints: &Breakpoints) -> Vec<i64> {
        let mut stops = vec![0, path.last];
        // At 0 the flag method switches, whatever the feature.
        for value in breakpoints.feature.iter().chain(&[0.0]) {
            let step = path.step_at_or_below(*value);
            stops.extend(step.saturating_sub(1)..=step.saturating_add(1));
        }
        if self.party.method(self.factor) != Method::Flag {
            let mut scores = breakpoints.score.clone();
            scores.sort_unstable_by(f64::total_cmp);
            scores.dedup();
            for score in scores {
                for threshold in [score, score.next_up()] {
                    let step = self.first_raw(path, threshold);
                    stops.extend(step - 1..=step);
                }
            }
        }
        stops.retain(|step| (0..=path.last).contains(step));
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    /// The first step at which the raw score, which never falls along the path, is at least `threshold`.
    fn first_raw(&self, path: &Path, threshold: f64) -> i64 {
        let (mut low, mut high) = (0, path.last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.party.raw(self.factor, path.value(middle)) >= threshold {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The value of the smallest change under which `meets` holds.
    fn first(&self, meets: impl Fn(&Decision) -> bool) -> Result<Option<f64>, RuleError> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let met = |step: i64| Ok(meets(&self.outcome(path, step)?.decision));
        let mut before = None;
        for &stop in &self.stops {
            if met(stop)? {
                let (mut low, mut high) = (before.unwrap_or(stop), stop);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if met(middle)? {
                        high = middle;
                    } else {
                        low = middle;
                    }
                }
                return Ok(Some(path.value(high)));
            }
            before = Some(stop);
        }
        Ok(None)
    }

    /// The highest final score along the path, at least `least`. It stands at a stop: between two, scores never fall.
    fn highest(&self, least: i32) -> Result<i32, RuleError> {
        let Some(path) = &self.path else {
            return Ok(least);
        };
        self.stops.iter().try_fold(least, |best, stop| {
            let outcome = self.outcome(path, *stop)?;
            Ok(best.max(outcome.decision.final_score))
        })
    }

    fn outcome(&self, path: &Path, step: i64) -> Result<Outcome, RuleError> {
        self.party.outcome(self.factor, path.value(step))
    }
}

impl Path {
    /// `None` where the feature has no further value in the direction of more points.
    fn of(party: &Party<'_>, factor: usize, breakpoints: &[f64]) -> Option<Self> {
        let feature = party.feature(factor);
        let (spec, current) = (&FEATURES[feature], party.row[feature]);
        let values = spec.values;
        let method = party.method(factor);
        // Any value but 0 is as good as another to a flag: to unset it, the way is towards 0.
        let up = !party.is_inverted(factor) || (method == Method::Flag && current < 0.0);
        let (least, greatest) = breakpoints
            .iter()
            .fold((0.0, saturation(method)), |(low, high): (f64, f64), b| {
                (low.min(*b), high.max(*b))
            });
        let (first, last) = if up {
            let lowest = spec.min.map_or(i64::MIN, |min| values.at_or_above(min));
            let end = spec.max.map(|max| values.at_or_below(max));
            (
                (values.at_or_below(current) + 1).max(lowest),
                end.unwrap_or_else(|| values.at_or_above(greatest) + 1),
            )
        } else {
            let highest = spec.max.map_or(i64::MAX, |max| values.at_or_below(max));
            let end = spec.min.map(|min| values.at_or_above(min));
            (
                (values.at_or_above(current) - 1).min(highest),
                end.unwrap_or_else(|| values.at_or_below(least) - 1),
            )
        };
        let last = if up { last - first } else { first - last };
        (last >= 0).then_some(Self {
            spec,
            first,
            up,
            last,
        })
    }

    fn value(&self, step: i64) -> f64 {
        let position = if self.up {
            self.first + step
        } else {
            self.first - step
        };
        self.spec.values.at(position)
    }

    /// The step of the greatest value at or below `value`; outside `0..=last` where the path does not come by it.
    fn step_at_or_below(&self, value: f64) -> i64 {
        let position = self.spec.values.at_or_below(value);
        if self.up {
            position - self.first
        } else {
            self.first - position
        }
    }
}

/// From this value on a factor earns all it can.
fn saturation(method: Method) -> f64 {
    match method {
        Method::Flag => 1.0,
        Method::Cap(limit) | Method::Log(limit) => limit,
        Method::Percent => 100.0,
    }
}
