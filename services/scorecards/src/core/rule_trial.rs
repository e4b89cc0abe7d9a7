//! What another set of rules would change on a population: pure, one pass.

use kycc_domain::card::{CompiledCard, MAX_FACTORS};
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::rules::{Decision, RuleError, RuleSet};

/// A party whose score changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Changed {
    /// Its row.
    pub(crate) row: usize,
    pub(crate) raw: f64,
    pub(crate) now: Decision,
    pub(crate) then: Decision,
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Trial {
    pub(crate) parties: u64,
    pub(crate) changed_bands: u64,
    /// Sum over all parties, in points.
    pub(crate) change: i64,
    /// By place in the set, now and then.
    pub(crate) fired_now: Vec<u64>,
    pub(crate) fired_then: Vec<u64>,
    /// By place among the card's bands.
    pub(crate) bands_now: Vec<u64>,
    pub(crate) bands_then: Vec<u64>,
    /// Those that change most first, then in the order of rows.
    pub(crate) changed: Vec<Changed>,
}

/// Names the row where a condition cannot be evaluated.
pub(crate) fn compare(
    card: &CompiledCard,
    now: &RuleSet,
    then: &RuleSet,
    rows: impl Iterator<Item = [f64; FEATURE_COUNT]>,
) -> Result<Trial, (usize, RuleError)> {
    let bands = card.bands().as_slice().len();
    let mut trial = Trial {
        fired_now: vec![0; now.rules().len()],
        fired_then: vec![0; then.rules().len()],
        bands_now: vec![0; bands],
        bands_then: vec![0; bands],
        ..Trial::default()
    };
    let mut points = [0.0; MAX_FACTORS];
    for (index, row) in rows.enumerate() {
        let raw = card.score_into(&row, &mut points);
        let failed = |error| (index, error);
        let before = now.apply(card, &row, raw).map_err(failed)?;
        let after = then.apply(card, &row, raw).map_err(failed)?;
        count(&mut trial.fired_now, before);
        count(&mut trial.fired_then, after);
        trial.bands_now[before.band] += 1;
        trial.bands_then[after.band] += 1;
        trial.parties += 1;
        trial.changed_bands += u64::from(before.band != after.band);
        trial.change += i64::from(after.final_score) - i64::from(before.final_score);
        if before.final_score != after.final_score {
            trial.changed.push(Changed {
                row: index,
                raw,
                now: before,
                then: after,
            });
        }
    }
    let size = |of: &Changed| of.then.final_score.abs_diff(of.now.final_score);
    trial
        .changed
        .sort_by_key(|changed| (std::cmp::Reverse(size(changed)), changed.row));
    Ok(trial)
}

fn count(fired: &mut [u64], decision: Decision) {
    for (index, fired) in fired.iter_mut().enumerate() {
        *fired += (decision.fired_bits() >> index) & 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::catalogue::feature_index;
    use kycc_domain::expert::expert_card;
    use kycc_domain::rules::{Action, Rule, default_rules};

    #[test]
    fn a_cap_changes_those_it_fires_on_and_no_other() {
        let card = expert_card().compile();
        let now = RuleSet::compile(&default_rules()).unwrap();
        let mut rules = default_rules();
        rules.push(Rule {
            name: "big_network".into(),
            priority: 9,
            condition: "network_size > 5.0".into(),
            action: Action::SetMaxScore { value: 310.0 },
        });
        let then = RuleSet::compile(&rules).unwrap();
        let place = feature_index("network_size").unwrap();
        let rows = (0..10).map(|size| {
            let mut row = [1.0; FEATURE_COUNT];
            row[place] = f64::from(size);
            row
        });
        let trial = compare(&card, &now, &then, rows).unwrap();
        assert_eq!((trial.parties, trial.fired_then[5]), (10, 4));
        assert_eq!(trial.fired_then[..5], trial.fired_now);
        let mut rows: Vec<_> = trial.changed.iter().map(|changed| changed.row).collect();
        rows.sort_unstable();
        assert_eq!(rows, [6, 7, 8, 9]);
        assert!(
            trial
                .changed
                .iter()
                .all(|changed| changed.then.final_score == 310)
        );
        assert!(trial.change < 0);
        assert_eq!(trial.bands_then.iter().sum::<u64>(), 10);
        let nothing = compare(&card, &now, &now, [[1.0; FEATURE_COUNT]].into_iter()).unwrap();
        assert_eq!((nothing.change, nothing.changed.len()), (0, 0));
    }
}
