//! Two versions of scores side by side, party by party. Both are in the order of party ids, so one walk through both will do.

use std::cmp::Ordering;

/// The final scores of one version, in party order.
pub(crate) trait Outcomes {
    fn parties(&self) -> usize;
    fn party(&self, at: usize) -> &str;
    fn final_score(&self, at: usize) -> i32;
    fn band(&self, at: usize) -> &str;
}

/// Where a party stands in the two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pair {
    Both { old: usize, new: usize },
    Appeared { new: usize },
    Disappeared { old: usize },
}

/// What changed in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) changed_scores: u64,
    pub(crate) changed_bands: u64,
    pub(crate) appeared: u64,
    pub(crate) disappeared: u64,
}

/// Calls `each` with every party of either version, in party order.
pub(crate) fn pairs(old: &impl Outcomes, new: &impl Outcomes, mut each: impl FnMut(Pair)) {
    let (mut at, mut to) = (0, 0);
    loop {
        let order = match (at < old.parties(), to < new.parties()) {
            (false, false) => return,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (true, true) => old.party(at).cmp(new.party(to)),
        };
        match order {
            Ordering::Less => each(Pair::Disappeared { old: at }),
            Ordering::Greater => each(Pair::Appeared { new: to }),
            Ordering::Equal => each(Pair::Both { old: at, new: to }),
        }
        at += usize::from(order.is_le());
        to += usize::from(order.is_ge());
    }
}

/// The parties of `new` whose final score or band is not what it was, those that appeared included, in party order.
pub(crate) fn changed(old: &impl Outcomes, new: &impl Outcomes) -> (Vec<Pair>, Totals) {
    let (mut found, mut totals) = (Vec::new(), Totals::default());
    pairs(old, new, |pair| match pair {
        Pair::Both { old: at, new: to } => {
            let score = old.final_score(at) != new.final_score(to);
            let band = old.band(at) != new.band(to);
            totals.changed_scores += u64::from(score);
            totals.changed_bands += u64::from(band);
            if score || band {
                found.push(pair);
            }
        }
        Pair::Appeared { .. } => {
            totals.appeared += 1;
            found.push(pair);
        }
        Pair::Disappeared { .. } => totals.disappeared += 1,
    });
    (found, totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(&'static [(&'static str, i32, &'static str)]);

    impl Outcomes for Given {
        fn parties(&self) -> usize {
            self.0.len()
        }
        fn party(&self, at: usize) -> &str {
            self.0[at].0
        }
        fn final_score(&self, at: usize) -> i32 {
            self.0[at].1
        }
        fn band(&self, at: usize) -> &str {
            self.0[at].2
        }
    }

    #[test]
    fn changes_of_score_and_band_are_found_and_counted_apart() {
        let old = Given(&[
            ("A", 700, "good"),
            ("B", 700, "good"),
            ("C", 600, "fair"),
            ("D", 600, "fair"),
            ("F", 1, "x"),
        ]);
        let new = Given(&[
            ("A", 700, "good"),
            ("B", 710, "good"),
            ("C", 700, "good"),
            // Another card may have other bands.
            ("D", 600, "medium"),
            ("E", 500, "poor"),
        ]);
        let (found, totals) = changed(&old, &new);
        let ids: Vec<_> = found
            .iter()
            .map(|pair| match pair {
                Pair::Both { new: at, .. } | Pair::Appeared { new: at } => new.party(*at),
                Pair::Disappeared { old: at } => old.party(*at),
            })
            .collect();
        assert_eq!(ids, ["B", "C", "D", "E"]);
        let expected = Totals {
            changed_scores: 2,
            changed_bands: 2,
            appeared: 1,
            disappeared: 1,
        };
        assert_eq!(totals, expected);
    }

    #[test]
    fn nothing_on_either_side_ends_the_walk() {
        let (none, some) = (Given(&[]), Given(&[("A", 1, "x")]));
        assert_eq!(changed(&none, &none), (Vec::new(), Totals::default()));
        assert_eq!(changed(&none, &some).1.appeared, 1);
        assert_eq!(changed(&some, &none).1.disappeared, 1);
    }
}
