//! Every boundary of an observed label: days, instants, coverage, maturity; and what may never change one.

use super::super::{DAY_MICROS, LabelMix, label_batch};
use super::*;
use OutcomeKind::{Collections, Insolvency, LatePayment, Paid, Restructuring, WriteOff};
use proptest::prelude::*;

const KINDS: [OutcomeKind; 6] = [
    LatePayment,
    WriteOff,
    Collections,
    Insolvency,
    Restructuring,
    Paid,
];

/// Days relative to t0.
fn event(kind: OutcomeKind, days_past_due: Option<i32>, day: i64) -> OutcomeEvent {
    event_at(kind, days_past_due, day * DAY_MICROS)
}

fn event_at(kind: OutcomeKind, days_past_due: Option<i32>, at: i64) -> OutcomeEvent {
    OutcomeEvent {
        party: 0,
        kind,
        days_past_due,
        occurred_at_micros: at,
        origin: Origin::Feed,
    }
}

fn observe_until(cut: i64, complete: bool, events: &[OutcomeEvent]) -> Label {
    let observation = Observation {
        t0_micros: 0,
        data_cut_micros: cut,
        complete,
    };
    Observed::from_events(&LabelPolicy::default(), observation, 1, events)
        .unwrap()
        .labels[0]
}

fn observe(cut_day: i64, complete: bool, events: &[OutcomeEvent]) -> Label {
    observe_until(cut_day * DAY_MICROS, complete, events)
}

fn label(events: &[OutcomeEvent]) -> Label {
    observe(180, false, events)
}

#[test]
fn days_past_due_separate_good_indeterminate_and_bad() {
    for (days, expected) in [
        (0, Label::Good),
        (30, Label::Good),
        (31, Label::Indeterminate),
        (90, Label::Indeterminate),
        (91, Label::Bad),
    ] {
        assert_eq!(label(&[event(LatePayment, Some(days), 10)]), expected);
        assert_eq!(label(&[event(Paid, Some(days), 10)]), expected);
    }
}

#[test]
fn every_kind_of_default_is_bad_whatever_its_days() {
    for kind in [WriteOff, Collections, Insolvency, Restructuring] {
        assert_eq!(label(&[event(kind, None, 10)]), Label::Bad);
        assert_eq!(label(&[event(kind, Some(0), 10)]), Label::Bad);
    }
    assert_eq!(label(&[event(Paid, None, 10)]), Label::Good);
}

#[test]
fn the_worst_of_the_window_decides() {
    let late = |days, day| event(LatePayment, Some(days), day);
    assert_eq!(label(&[late(31, 20), late(0, 30)]), Label::Indeterminate);
    assert_eq!(label(&[late(91, 20), late(31, 30)]), Label::Bad);
    assert_eq!(label(&[late(31, 0), late(30, 30)]), Label::Good);
}

#[test]
fn window_opens_after_t0_and_closes_with_its_last_instant() {
    let day = DAY_MICROS;
    for (at, expected) in [
        (-180 * day - 1, Label::Good),
        (-180 * day, Label::Excluded),
        (0, Label::Excluded),
        (1, Label::Bad),
        (180 * day, Label::Bad),
    ] {
        assert_eq!(label(&[event_at(Insolvency, None, at)]), expected, "{at}");
    }
    let just_late = event_at(Insolvency, None, 180 * day + 1);
    let paid = event(Paid, None, 1);
    assert_eq!(observe(400, false, &[just_late, paid]), Label::Good);
}

#[test]
fn nothing_is_said_before_the_window_has_passed() {
    let bad = || event(WriteOff, None, 10);
    let end = 180 * DAY_MICROS;
    assert_eq!(observe_until(end - 1, true, &[bad()]), Label::Unlabelled);
    assert_eq!(observe_until(end - 1, true, &[]), Label::Unlabelled);
    assert_eq!(observe_until(end, true, &[]), Label::Good);
    assert_eq!(observe_until(end, true, &[bad()]), Label::Bad);
    let before = event(WriteOff, None, -1);
    assert_eq!(observe_until(end - 1, true, &[before]), Label::Excluded);
}

#[test]
fn what_was_bad_before_is_excluded_whatever_follows() {
    let before = event(WriteOff, None, -10);
    assert_eq!(
        label(&[before, event(Insolvency, None, 10)]),
        Label::Excluded
    );
    let late_before = event(LatePayment, Some(91), -10);
    assert_eq!(label(&[late_before]), Label::Excluded);
    let less_late_before = event(LatePayment, Some(90), -10);
    assert_eq!(label(&[less_late_before]), Label::Good);
}

#[test]
fn silence_is_good_only_from_a_feed_that_covers_the_party() {
    assert_eq!(label(&[]), Label::Unlabelled);
    assert_eq!(label(&[event(Paid, None, 10)]), Label::Good);
    let transaction = |days| OutcomeEvent::of_transaction(0, days, DAY_MICROS);
    assert_eq!(label(&[transaction(0)]), Label::Unlabelled);
    assert_eq!(label(&[transaction(30)]), Label::Unlabelled);
    assert_eq!(label(&[transaction(31)]), Label::Indeterminate);
    assert_eq!(label(&[transaction(91)]), Label::Bad);
    let of_before = OutcomeEvent::of_transaction(0, 91, -DAY_MICROS);
    assert_eq!(label(&[of_before]), Label::Excluded);
}

#[test]
fn any_record_up_to_the_end_of_the_window_covers_a_party() {
    let end = 180 * DAY_MICROS;
    let paid = |at| event_at(Paid, None, at);
    for at in [-1000 * DAY_MICROS, 0, end] {
        assert_eq!(observe_until(2 * end, false, &[paid(at)]), Label::Good);
    }
    let after = observe_until(2 * end, false, &[paid(end + 1)]);
    assert_eq!(after, Label::Unlabelled);
}

#[test]
fn covered_parties_are_counted() {
    let observe = |complete| {
        let observation = Observation {
            t0_micros: 0,
            data_cut_micros: 180 * DAY_MICROS,
            complete,
        };
        let events = [event(Paid, None, 1), event(Paid, None, 2)];
        Observed::from_events(&LabelPolicy::default(), observation, 3, &events).unwrap()
    };
    assert_eq!(observe(false).covered, 1);
    assert_eq!(observe(true).covered, 3);
}

#[test]
fn faulty_events_are_refused_by_position() {
    let observation = Observation {
        t0_micros: 0,
        data_cut_micros: 0,
        complete: false,
    };
    let refuse = |event| {
        let policy = LabelPolicy::default();
        Observed::from_events(&policy, observation, 1, &[event]).unwrap_err()
    };
    let vague = event(LatePayment, None, 1);
    assert_eq!(refuse(vague), LabelError::NoDaysPastDue { index: 0 });
    let mut stray = event(Paid, None, 1);
    stray.party = 1;
    assert_eq!(refuse(stray).reason(), "LABEL_UNKNOWN_PARTY");
}

#[test]
fn values_count_as_observed_and_matured() {
    let observed = Observed::from_values(3, &[(0, true), (2, false), (0, true)]).unwrap();
    assert_eq!(
        observed.labels,
        [Label::Bad, Label::Unlabelled, Label::Good]
    );
    assert!(observed.matured);
    assert_eq!(observed.covered, 2);
    assert!(!Observed::from_values(3, &[]).unwrap().matured);
    let clash = Observed::from_values(1, &[(0, true), (0, false)]).unwrap_err();
    assert_eq!(clash, LabelError::Contradiction { index: 1, party: 0 });
}

const PARTIES: usize = 12;

fn any_event() -> impl Strategy<Value = OutcomeEvent> {
    (
        0..PARTIES,
        prop::sample::select(&KINDS[..]),
        prop::sample::select(&[0, 15, 30, 31, 60, 90, 91, 200][..]),
        -400i64..400,
        any::<bool>(),
    )
        .prop_map(|(party, kind, days, day, feed)| {
            if feed {
                OutcomeEvent {
                    party,
                    ..event(kind, Some(days), day)
                }
            } else {
                OutcomeEvent::of_transaction(party, days, day * DAY_MICROS)
            }
        })
}

fn events() -> impl Strategy<Value = Vec<OutcomeEvent>> {
    prop::collection::vec(any_event(), 0..60)
}

fn labels(cut_day: i64, complete: bool, events: &[OutcomeEvent]) -> Vec<Label> {
    let observation = Observation {
        t0_micros: 0,
        data_cut_micros: cut_day * DAY_MICROS,
        complete,
    };
    Observed::from_events(&LabelPolicy::default(), observation, PARTIES, events)
        .unwrap()
        .labels
}

proptest! {
    #[test]
    fn a_record_after_the_data_cut_or_after_the_window_changes_no_label(
        known in events(), late in events(), cut in -50i64..300, complete in any::<bool>(),
    ) {
        let before = labels(cut, complete, &known);
        let end = cut.min(180) * DAY_MICROS;
        let late = late.into_iter().map(|event| OutcomeEvent {
            occurred_at_micros: end + 1 + event.occurred_at_micros.abs(),
            ..event
        });
        let all: Vec<_> = known.into_iter().chain(late).collect();
        prop_assert_eq!(labels(cut, complete, &all), before);
    }

    #[test]
    fn no_label_is_good_or_bad_before_it_has_matured(
        known in events(), cut in -50i64..180, complete in any::<bool>(),
    ) {
        for label in labels(cut, complete, &known) {
            prop_assert!(matches!(label, Label::Unlabelled | Label::Excluded));
        }
    }

    #[test]
    fn permuting_parties_permutes_labels_and_the_order_of_events_is_nothing(
        known in events(),
        order in Just((0..PARTIES).collect::<Vec<_>>()).prop_shuffle(),
        complete in any::<bool>(),
        mix in prop::sample::select(&[LabelMix::Observed, LabelMix::Scorecard, LabelMix::Blended][..]),
        rate in 0u32..=1_000_000,
    ) {
        let policy = LabelPolicy { mix, bad_rate_ppm: rate, ..LabelPolicy::default() };
        let rows = |events: &[OutcomeEvent], raw: &[f64]| {
            let observation = Observation { t0_micros: 0, data_cut_micros: 200 * DAY_MICROS, complete };
            let observed = Observed::from_events(&policy, observation, PARTIES, events).unwrap();
            label_batch(&policy, &observed, raw, 13).unwrap()
        };
        // No two alike: equal scores are told apart by the order of the parties.
        let raw: Vec<f64> = (0..PARTIES).map(|party| 300.0 + (party * 7 % PARTIES) as f64).collect();
        let plain = rows(&known, &raw);
        let moved_events: Vec<_> = known
            .iter()
            .rev()
            .map(|event| OutcomeEvent { party: order[event.party], ..event.clone() })
            .collect();
        let mut moved_raw = vec![0.0; PARTIES];
        for (party, raw) in raw.iter().enumerate() {
            moved_raw[order[party]] = *raw;
        }
        let moved = rows(&moved_events, &moved_raw);
        prop_assert_eq!(&plain.statistics, &moved.statistics);
        for (party, row) in plain.rows.iter().enumerate() {
            let other = &moved.rows[order[party]];
            prop_assert_eq!((row.label, row.source), (other.label, other.source));
            prop_assert_eq!(row.weight.to_bits(), other.weight.to_bits());
        }
    }
}
