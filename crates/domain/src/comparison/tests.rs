//! Comparisons: a card with itself, two that differ, and outcomes that say too little.

use proptest::prelude::*;

use super::*;
use crate::card::{Provenance, round_half_up};
use crate::expert::expert_card;
use crate::metrics::{Ranking, brier, paired_delong};

const LINK: PdLink = PdLink {
    intercept: 1.0,
    slope: -0.01,
};

/// The expert card under another cutoff, so that it is another card.
fn other(cutoff: i32, link: Option<PdLink>) -> Scorecard {
    let mut content = expert_card().content().clone();
    content.cutoff = cutoff;
    content.link = link;
    Scorecard::new("2", content, Provenance::default()).unwrap()
}

fn finals(raw: &[f64]) -> Vec<i32> {
    raw.iter().map(|raw| round_half_up(*raw)).collect()
}

fn compare(
    (old_card, old): (&Scorecard, &[f64]),
    (new_card, new): (&Scorecard, &[f64]),
    outcomes: &[Option<bool>],
) -> CardComparison {
    let (old_final, new_final) = (finals(old), finals(new));
    let champion = ScoredBy {
        card: old_card,
        link: Some(LINK),
        raw: old,
        final_scores: &old_final,
    };
    let challenger = ScoredBy {
        card: new_card,
        link: None,
        raw: new,
        final_scores: &new_final,
    };
    CardComparison::of(&champion, &challenger, outcomes).unwrap()
}

fn spread(n: usize) -> Vec<f64> {
    (0..n).map(|i| 300.0 + (i * 37 % 600) as f64).collect()
}

fn why<T: std::fmt::Debug>(figure: &Evaluated<T>) -> &str {
    match figure {
        Evaluated::NotEvaluated { why } => why,
        Evaluated::Value(value) => panic!("evaluated to {value:?}"),
    }
}

#[test]
fn a_card_against_itself_changes_nothing() {
    let (card, raw) = (expert_card(), spread(200));
    let outcomes: Vec<_> = (0..200)
        .map(|i| (i % 3 > 0).then_some(i % 5 == 0))
        .collect();
    let same = compare((&card, &raw), (&card, &raw), &outcomes);
    assert_eq!(
        (same.shift.psi.value, same.shift.status),
        (0.0, Shift::Pass)
    );
    assert_eq!(
        (
            same.shift.mean_raw,
            same.shift.mean_final,
            same.shift.mean_absolute_final
        ),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(
        (
            same.migration.moved_up,
            same.migration.moved_down,
            same.migration.stayed
        ),
        (0.0, 0.0, 1.0)
    );
    assert_eq!(
        (
            same.swap_set.swapped_in.parties,
            same.swap_set.swapped_out.parties
        ),
        (0, 0)
    );
    let difference = same.outcomes.auc_difference.value().unwrap();
    assert_eq!((difference.delta, difference.p_value), (0.0, 1.0));
    assert_eq!(same.champion, same.challenger);
}

#[test]
fn migration_and_swap_set_count_every_party_once() {
    let (old_card, new_card) = (expert_card(), other(650, None));
    let old = [640.0, 720.0, 500.0, 820.0, 610.0];
    let new = [660.0, 690.0, 500.0, 820.0, 620.0];
    let outcomes = [Some(true), None, Some(false), Some(false), Some(true)];
    let both = compare((&old_card, &old), (&new_card, &new), &outcomes);
    assert_eq!(both.migration.parties[1][2], 1);
    assert_eq!(both.migration.parties[2][2], 2);
    assert_eq!(
        (
            both.migration.moved_up,
            both.migration.moved_down,
            both.migration.stayed
        ),
        (0.0, 0.2, 0.8)
    );
    let swap = &both.swap_set;
    assert_eq!((swap.champion_cutoff, swap.challenger_cutoff), (600, 650));
    assert_eq!(
        (swap.accepted_by_both.parties, swap.swapped_in.parties),
        (3, 0)
    );
    assert_eq!(
        (swap.swapped_out.parties, swap.swapped_out.bad_rate),
        (1, Some(1.0))
    );
    assert_eq!(
        (
            swap.rejected_by_both.parties,
            swap.rejected_by_both.bad_rate
        ),
        (1, Some(0.0))
    );
    assert_eq!(
        (swap.swapped_in.matured, swap.swapped_in.bad_rate),
        (0, None)
    );
    assert_eq!(swap.accepted_by_both.bad_rate, Some(0.5));
    assert_eq!(
        (both.shift.mean_final, both.shift.mean_absolute_final),
        (0.0, 12.0)
    );
}

#[test]
fn performance_is_that_of_the_matured_parties_alone() {
    let (old_card, new_card) = (
        expert_card(),
        other(
            600,
            Some(PdLink {
                intercept: 0.0,
                slope: -0.02,
            }),
        ),
    );
    let old = spread(300);
    let new: Vec<f64> = old.iter().map(|raw| 900.0 - (raw - 310.0).abs()).collect();
    let outcomes: Vec<_> = (0..300)
        .map(|i| (i % 4 > 0).then_some(old[i] + f64::from(i as u32 % 7) * 60.0 < 560.0))
        .collect();
    let both = compare((&old_card, &old), (&new_card, &new), &outcomes);
    let rows: Vec<usize> = (0..300).filter(|i| outcomes[*i].is_some()).collect();
    let bad: Vec<bool> = rows.iter().map(|i| outcomes[*i] == Some(true)).collect();
    let risk = |raw: &[f64]| rows.iter().map(|i| -raw[*i]).collect::<Vec<_>>();
    assert_eq!(both.outcomes.matured, 225);
    assert_eq!(both.outcomes.bads, bad.iter().filter(|b| **b).count());
    let ranking = Ranking::new(&risk(&old), &bad).unwrap();
    assert_eq!(both.outcomes.champion.auc, Evaluated::Value(ranking.auc()));
    assert_eq!(both.outcomes.champion.ks, Evaluated::Value(ranking.ks()));
    let paired = paired_delong(&risk(&old), &risk(&new), &bad).unwrap();
    assert_eq!(both.outcomes.auc_difference, Evaluated::Value(paired));
    // The card's own link comes first, the fitted one stands in where it has none.
    let pd: Vec<f64> = rows
        .iter()
        .map(|i| LINK.probability(old[*i], 300))
        .collect();
    assert_eq!(
        both.outcomes.champion.brier,
        Evaluated::Value(brier(&pd, &bad).unwrap())
    );
    let difference = *both.outcomes.brier_difference.value().unwrap();
    let challenger = both.outcomes.challenger.brier.value().unwrap();
    assert_eq!(difference, challenger - brier(&pd, &bad).unwrap());
    let text = serde_json::to_string(&both).unwrap();
    assert_eq!(serde_json::from_str::<CardComparison>(&text).unwrap(), both);
}

#[test]
fn what_outcomes_cannot_tell_is_said() {
    let (card, raw) = (expert_card(), spread(20));
    let none = compare((&card, &raw), (&card, &raw), &[None; 20]);
    assert_eq!((none.outcomes.matured, none.parties), (0, 20));
    assert_eq!(why(&none.outcomes.auc_difference), "no outcome has matured");
    assert_eq!(why(&none.outcomes.champion.ks), "no outcome has matured");
    let goods = compare((&card, &raw), (&card, &raw), &[Some(false); 20]);
    assert!(why(&goods.outcomes.champion.auc).contains("both classes"));
    let unlinked = why(&goods.outcomes.challenger.brier);
    assert_eq!(
        unlinked,
        "the card has no link from points to a probability of default"
    );
    assert!(why(&goods.outcomes.brier_difference).starts_with("champion: "));
    let mut one = [Some(false); 20];
    one[3] = Some(true);
    let one = compare((&card, &raw), (&card, &raw), &one);
    assert!(one.outcomes.champion.auc.value().is_some());
    assert!(why(&one.outcomes.champion.auc_interval).contains("two of either class"));
    assert!(why(&one.outcomes.auc_difference).contains("two of either class"));
    assert!(why(&one.outcomes.brier_difference).starts_with("challenger: "));
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    let card = expert_card();
    let raw = spread(5);
    let whole = finals(&raw);
    let good = ScoredBy {
        card: &card,
        link: None,
        raw: &raw,
        final_scores: &whole,
    };
    let reason = |champion: ScoredBy<'_>, challenger: ScoredBy<'_>, outcomes: &[Option<bool>]| {
        let refused = CardComparison::of(&champion, &challenger, outcomes);
        refused.unwrap_err().reason()
    };
    let short = ScoredBy {
        final_scores: &whole[..4],
        ..good
    };
    assert_eq!(reason(short, good, &[None; 5]), "COMPARISON_LENGTH");
    assert_eq!(reason(good, short, &[None; 5]), "COMPARISON_LENGTH");
    assert_eq!(reason(good, good, &[None; 4]), "COMPARISON_LENGTH");
    let broken = [500.0, f64::NAN, 500.0, 500.0, 500.0];
    let broken = ScoredBy {
        raw: &broken,
        ..good
    };
    assert_eq!(reason(good, broken, &[None; 5]), "COMPARISON_NOT_FINITE");
    let empty = ScoredBy {
        raw: &[],
        final_scores: &[],
        ..good
    };
    assert_eq!(reason(empty, empty, &[]), "COMPARISON_EMPTY");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_add_up_and_no_figure_is_nan(
        rows in prop::collection::vec((300.0f64..900.0, 300.0f64..900.0, prop::option::of(any::<bool>())), 1..60),
    ) {
        let (old_card, new_card) = (expert_card(), other(640, Some(LINK)));
        let old: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let new: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let outcomes: Vec<_> = rows.iter().map(|row| row.2).collect();
        let both = compare((&old_card, &old), (&new_card, &new), &outcomes);
        let migration = &both.migration;
        prop_assert_eq!(migration.parties.iter().flatten().sum::<usize>(), rows.len());
        prop_assert!((migration.moved_up + migration.moved_down + migration.stayed - 1.0).abs() < 1e-12);
        let swap = &both.swap_set;
        let cells = [swap.accepted_by_both, swap.swapped_in, swap.swapped_out, swap.rejected_by_both];
        prop_assert_eq!(cells.iter().map(|cell| cell.parties).sum::<usize>(), rows.len());
        prop_assert_eq!(cells.iter().map(|cell| cell.bads).sum::<usize>(), both.outcomes.bads);
        // JSON writes NaN as null, and nothing but a rate without parties may be null.
        let text = serde_json::to_string(&both).unwrap();
        let rates = cells.iter().filter(|cell| cell.bad_rate.is_none()).count();
        prop_assert_eq!(text.matches("null").count(), rates);
    }
}
