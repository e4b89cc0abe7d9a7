//! Which labelled rows train and which are held out, decided by hashes of party ids and a seed: no randomness, no order
//! of arrival.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Folds of the search for C.
pub const FOLDS: usize = 5;

/// Labelled rows below which nothing is trained, unless configured otherwise.
pub const DEFAULT_MIN_SAMPLES: usize = 100;

/// Rows of either class below which nothing is trained.
pub const MIN_PER_CLASS: usize = 5;

/// One labelled row, as far as the split looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRow<'a> {
    pub party_id: &'a str,
    /// The score's as-of, microseconds since the epoch.
    pub t0_micros: i64,
    pub bad: bool,
}

/// Row indices, ascending. Out of time, the two need not cover all rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub holdout: Vec<usize>,
    pub kind: SplitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SplitKind {
    /// One t0: a fifth of each class by hash.
    Stratified,
    /// Several t0: the holdout is every row from this as-of on; its parties do not train.
    OutOfTime {
        holdout_from_micros: i64,
        /// Older rows left out because their party is in the holdout.
        removed: usize,
    },
}

/// Why there is nothing to train on. A result of the step, not a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Insufficient {
    #[error("{rows} labelled rows are fewer than min_samples = {min_samples}")]
    TooFewRows { rows: usize, min_samples: usize },
    #[error("{goods} good and {bads} bad rows; at least 5 of either class are needed")]
    TooFewOfAClass { goods: usize, bads: usize },
    #[error(
        "out-of-time training rows hold {goods} good and {bads} bad once the holdout's parties are removed; both are needed"
    )]
    TrainLacksAClass { goods: usize, bads: usize },
}

/// Splits; one t0 by hash within each class, several t0 out of time.
pub fn split(rows: &[SplitRow<'_>], seed: u64, min_samples: usize) -> Result<Split, Insufficient> {
    let (goods, bads) = class_counts(rows, 0..rows.len());
    if rows.len() < min_samples {
        return Err(Insufficient::TooFewRows {
            rows: rows.len(),
            min_samples,
        });
    }
    if goods.min(bads) < MIN_PER_CLASS {
        return Err(Insufficient::TooFewOfAClass { goods, bads });
    }
    let first = rows[0].t0_micros;
    if rows.iter().all(|row| row.t0_micros == first) {
        Ok(stratified(rows, seed))
    } else {
        out_of_time(rows)
    }
}

/// The fold of each row of `train` (indices into `rows`), in the order of `train`: rank within its class mod 5.
pub fn folds(rows: &[SplitRow<'_>], train: &[usize], seed: u64) -> Vec<usize> {
    let mut fold_of = vec![0; train.len()];
    for class in [false, true] {
        let of_class = (0..train.len()).filter(|&at| rows[train[at]].bad == class);
        for (rank, at) in ordered(of_class, seed, |at| rows[train[at]]).enumerate() {
            fold_of[at] = rank % FOLDS;
        }
    }
    fold_of
}

fn stratified(rows: &[SplitRow<'_>], seed: u64) -> Split {
    let mut train = Vec::new();
    let mut holdout = Vec::new();
    for class in [false, true] {
        let of_class: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].bad == class).collect();
        // 0.2·n rounded half up, in integers.
        let held = (2 * of_class.len() + 5) / 10;
        for (rank, row) in ordered(of_class.into_iter(), seed, |i| rows[i]).enumerate() {
            if rank < held {
                holdout.push(row);
            } else {
                train.push(row);
            }
        }
    }
    train.sort_unstable();
    holdout.sort_unstable();
    Split {
        train,
        holdout,
        kind: SplitKind::Stratified,
    }
}

/// Whole t0 groups from the newest until they hold a fifth of the rows. The oldest group always stays for training.
fn out_of_time(rows: &[SplitRow<'_>]) -> Result<Split, Insufficient> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.t0_micros).collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    let oldest = times[times.len() - 1];
    let mut holdout_from_micros = times[0];
    for &time in times.iter().filter(|time| **time > oldest) {
        let held = times.partition_point(|t| *t >= holdout_from_micros);
        if 5 * held >= rows.len() {
            break;
        }
        holdout_from_micros = time;
    }
    let (holdout, older): (Vec<usize>, Vec<usize>) =
        (0..rows.len()).partition(|&i| rows[i].t0_micros >= holdout_from_micros);
    let held_parties: std::collections::HashSet<&str> =
        holdout.iter().map(|&i| rows[i].party_id).collect();
    let older_rows = older.len();
    let train: Vec<usize> = older
        .into_iter()
        .filter(|&i| !held_parties.contains(rows[i].party_id))
        .collect();
    let (goods, bads) = class_counts(rows, train.iter().copied());
    if goods == 0 || bads == 0 {
        return Err(Insufficient::TrainLacksAClass { goods, bads });
    }
    let kind = SplitKind::OutOfTime {
        holdout_from_micros,
        removed: older_rows - train.len(),
    };
    Ok(Split {
        train,
        holdout,
        kind,
    })
}

fn class_counts(rows: &[SplitRow<'_>], of: impl Iterator<Item = usize>) -> (usize, usize) {
    of.fold((0, 0), |(goods, bads), i| {
        if rows[i].bad {
            (goods, bads + 1)
        } else {
            (goods + 1, bads)
        }
    })
}

/// Positions ordered by SHA-256(seed as u64 LE ‖ 0x00 ‖ party id); a party with several rows by their time.
fn ordered<'a>(
    positions: impl Iterator<Item = usize>,
    seed: u64,
    row: impl Fn(usize) -> SplitRow<'a>,
) -> impl Iterator<Item = usize> {
    let mut keyed: Vec<([u8; 32], i64, usize)> = positions
        .map(|at| {
            let row = row(at);
            (order_key(seed, row.party_id), row.t0_micros, at)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, at)| at)
}

fn order_key(seed: u64, party_id: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update([0])
        .chain_update(party_id.as_bytes())
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows<'a>(ids: &'a [String], bad_every: usize) -> Vec<SplitRow<'a>> {
        ids.iter()
            .enumerate()
            .map(|(i, id)| SplitRow {
                party_id: id,
                t0_micros: 0,
                bad: i % bad_every == 0,
            })
            .collect()
    }

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("P{i:04}")).collect()
    }

    #[test]
    fn order_key_is_the_specified_hash() {
        // printf '\x2a\0\0\0\0\0\0\0\0P0001' | sha256sum
        let hex: String = order_key(42, "P0001")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            hex,
            "f0b19baf8a947f07c86670a2fb410fe0611c669b657c1f73d2197c076bc3b9be"
        );
    }

    #[test]
    fn a_fifth_of_each_class_is_held_out_rounded_half_up() {
        let ids = ids(103);
        // 13 bad and 90 good: 2.6 → 3 and 18.
        let rows = rows(&ids, 8);
        let split = split(&rows, 1, 100).unwrap();
        let bads = split.holdout.iter().filter(|i| rows[**i].bad).count();
        assert_eq!((bads, split.holdout.len()), (3, 21));
        assert_eq!(split.train.len(), 82);
        assert_eq!(split.kind, SplitKind::Stratified);
    }

    #[test]
    fn order_of_arrival_does_not_matter_but_the_seed_does() {
        let ids = ids(200);
        let forward = rows(&ids, 4);
        let backward: Vec<SplitRow> = forward.iter().rev().copied().collect();
        let held = |rows: &[SplitRow], seed| {
            let mut held: Vec<String> = split(rows, seed, 100)
                .unwrap()
                .holdout
                .iter()
                .map(|i| rows[*i].party_id.to_owned())
                .collect();
            held.sort();
            held
        };
        assert_eq!(held(&forward, 7), held(&backward, 7));
        assert_ne!(held(&forward, 7), held(&forward, 8));
    }

    #[test]
    fn too_few_rows_and_too_few_of_a_class_say_so() {
        let few = ids(99);
        assert_eq!(
            split(&rows(&few, 3), 0, 100).unwrap_err(),
            Insufficient::TooFewRows {
                rows: 99,
                min_samples: 100
            }
        );
        let many = ids(120);
        assert_eq!(
            split(&rows(&many, 40), 0, 100).unwrap_err(),
            Insufficient::TooFewOfAClass {
                goods: 117,
                bads: 3
            }
        );
        assert_eq!(
            split(&[], 0, 0).unwrap_err(),
            Insufficient::TooFewOfAClass { goods: 0, bads: 0 }
        );
    }

    #[test]
    fn several_times_hold_out_the_newest_and_their_parties() {
        let ids = ids(100);
        // 80 rows at time 1, 10 at time 2, 10 at time 3; P0000 and P0001 come back at time 3.
        let mut rows = rows(&ids, 4);
        for (i, row) in rows.iter_mut().enumerate() {
            row.t0_micros = if i < 80 { 1 } else { 2 + i64::from(i >= 90) };
        }
        rows[98].party_id = &ids[0];
        rows[99].party_id = &ids[1];
        let split = split(&rows, 0, 100).unwrap();
        assert_eq!(split.holdout, (80..100).collect::<Vec<_>>());
        assert_eq!(split.train, (2..80).collect::<Vec<_>>());
        assert_eq!(
            split.kind,
            SplitKind::OutOfTime {
                holdout_from_micros: 2,
                removed: 2
            }
        );
    }

    #[test]
    fn oldest_time_is_never_held_out() {
        let ids = ids(100);
        let mut rows = rows(&ids, 4);
        for (i, row) in rows.iter_mut().enumerate() {
            row.t0_micros = i64::from(i >= 95);
        }
        let split = split(&rows, 0, 100).unwrap();
        assert_eq!((split.train.len(), split.holdout.len()), (95, 5));
    }

    #[test]
    fn same_parties_at_every_time_leave_nothing_to_train_on() {
        let ids = ids(100);
        let mut all = rows(&ids, 4);
        let mut later = all.clone();
        later.iter_mut().for_each(|row| row.t0_micros = 1);
        all.extend(later);
        assert_eq!(
            split(&all, 0, 100).unwrap_err(),
            Insufficient::TrainLacksAClass { goods: 0, bads: 0 }
        );
    }

    proptest! {
        #[test]
        fn split_is_a_partition_and_folds_are_balanced(n in 100usize..300, bad_every in 2usize..12, seed in any::<u64>()) {
            let ids = ids(n);
            let rows = rows(&ids, bad_every);
            let split = split(&rows, seed, 100).unwrap();
            let mut all = [split.train.clone(), split.holdout.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
            let folds = folds(&rows, &split.train, seed);
            for class in [false, true] {
                let sizes: Vec<usize> = (0..FOLDS)
                    .map(|f| split.train.iter().zip(&folds).filter(|(i, g)| rows[**i].bad == class && **g == f).count())
                    .collect();
                prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            }
        }
    }
}
