//! Drift: a baseline finds itself unmoved, finds what moved, and says so.

use proptest::prelude::*;

use super::*;
use crate::bands::Bands;
use crate::catalogue::{FEATURE_COUNT, FEATURES, FeatureVector, feature_index};
use crate::expert::expert_card;
use crate::psi::{Shift, psi};

/// Owned columns of a made-up batch.
#[derive(Clone)]
struct Batch {
    columns: Vec<Vec<f64>>,
    raws: Vec<f64>,
    bands: Vec<usize>,
    names: Bands,
}

impl Batch {
    fn new(rows: usize, seed: u64) -> Self {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let columns = FEATURES.iter().map(|spec| {
            let top = spec.max.unwrap_or(60.0);
            (0..rows).map(|_| (next() * (top + 1.0)).floor()).collect()
        });
        Self {
            columns: columns.collect(),
            raws: vec![],
            bands: vec![],
            names: Bands::default(),
        }
        .scored()
    }

    fn scored(mut self) -> Self {
        let card = expert_card();
        self.raws = (0..self.columns[0].len())
            .map(|row| {
                let features = std::array::from_fn(|j| self.columns[j][row]);
                let scored = card.score(&FeatureVector::new(features));
                scored.raw
            })
            .collect();
        let band = |raw: &f64| self.names.index_of(crate::card::round_half_up(*raw));
        self.bands = self.raws.iter().map(band).collect();
        self
    }

    fn change(mut self, feature: &str, change: impl Fn(f64) -> f64) -> Self {
        for value in &mut self.columns[feature_index(feature).unwrap()] {
            *value = change(*value);
        }
        self
    }

    fn population(&self) -> ScoredPopulation<'_> {
        ScoredPopulation {
            columns: std::array::from_fn(|j| &self.columns[j][..]),
            raws: &self.raws,
            bands: &self.bands,
            names: &self.names,
        }
    }

    fn baseline(&self) -> PopulationBaseline {
        PopulationBaseline::of(&self.population()).unwrap()
    }
}

#[test]
fn a_batch_against_itself_has_not_moved() {
    let batch = Batch::new(500, 1);
    let report = drift(&batch.baseline(), &batch.population()).unwrap();
    assert_eq!(report.status, Shift::Pass);
    assert_eq!(report.features.len(), FEATURE_COUNT);
    assert!(report.lines().all(|line| line.index == 0.0));
    assert!(report.bands.iter().all(|band| band.baseline == band.share));
    assert_eq!(
        report.sentences,
        ["score, final bands and all 17 features are spread as in the baseline of 500 parties"]
    );
}

#[test]
fn lines_equal_the_index_of_the_two_samples() {
    let (old, new) = (Batch::new(400, 1), Batch::new(300, 2));
    let report = drift(&old.baseline(), &new.population()).unwrap();
    let score = psi(&old.raws, &new.raws).unwrap();
    assert_eq!(report.score.index, score.value);
    assert_eq!(report.score.no_shift_bound, score.no_shift_bound);
    for (j, line) in report.features.iter().enumerate() {
        let index = psi(&old.columns[j], &new.columns[j]).unwrap();
        assert_eq!(
            (line.index, line.no_shift_bound),
            (index.value, index.no_shift_bound)
        );
        assert_eq!(
            (&line.expected, &line.actual),
            (&index.expected, &index.actual)
        );
        assert_eq!(line.name, FEATURES[j].name);
    }
}

#[test]
fn bands_that_a_rule_moved_are_drift_though_no_score_moved() {
    let old = Batch::new(400, 1);
    let mut new = old.clone();
    let last = new.names.as_slice().len() - 1;
    new.bands = vec![last; 400];
    let report = drift(&old.baseline(), &new.population()).unwrap();
    assert_eq!(
        (report.score.index, report.score.status),
        (0.0, Shift::Pass)
    );
    assert_eq!(report.status, Shift::Fail);
    let line = &report.final_bands;
    assert_eq!((line.name.as_str(), line.status), (BAND_LINE, Shift::Fail));
    let shares = report.bands.iter().map(|band| (band.baseline, band.share));
    let cells = line.expected.iter().copied().zip(line.actual.clone());
    assert!(shares.eq(cells));
    assert_eq!(report.lines().last(), Some(line));
    let first = &report.sentences[0];
    assert!(first.starts_with("final_band has shifted: PSI "), "{first}");
    assert!(first.contains("; parties in band "), "{first}");
    assert!(first.ends_with("are 100.0 %"), "{first}");

    // Half the batch in one band, half in another, against all in the one: bands nobody is in give no freedom.
    let (mut one, mut both) = (old.clone(), old);
    one.bands = vec![0; 400];
    both.bands = (0..400).map(|row| row % 2).collect();
    let line = drift(&one.baseline(), &both.population())
        .unwrap()
        .final_bands;
    let index = 0.5 * 2f64.ln() + (0.5 - 1e-4) * (0.5f64 / 1e-4).ln();
    assert!((line.index - index).abs() < 1e-12, "{}", line.index);
    // The 95 % point of χ² with one degree of freedom.
    let bound = 3.841_458_820_694_124 / 200.0;
    assert!(
        (line.no_shift_bound - bound).abs() < 1e-12,
        "{}",
        line.no_shift_bound
    );
}

#[test]
fn the_feature_that_moved_is_named_first_and_says_where() {
    let old = Batch::new(2000, 1);
    let new = Batch::new(2000, 2)
        .change("network_size", |v| v + 40.0)
        .scored();
    let report = drift(&old.baseline(), &new.population()).unwrap();
    assert_eq!(report.status, Shift::Fail);
    let line = &report.features[feature_index("network_size").unwrap()];
    assert_eq!(line.status, Shift::Fail);
    let others = report
        .features
        .iter()
        .filter(|line| line.status != Shift::Pass);
    assert_eq!(others.count(), 1);
    let first = &report.sentences[0];
    assert!(
        first.starts_with("network_size has shifted: CSI "),
        "{first}"
    );
    assert!(first.contains("; values above "), "{first}");
}

#[test]
fn a_large_shift_of_few_parties_may_be_chance() {
    let old = Batch::new(2000, 1);
    let few = Batch::new(12, 7);
    let report = drift(&old.baseline(), &few.population()).unwrap();
    let by_chance = report.lines().filter(|line| line.index >= 0.25);
    let mut seen = 0;
    for line in by_chance {
        seen += usize::from(line.index <= line.no_shift_bound && line.status == Shift::Pass);
    }
    assert!(seen > 0);
}

#[test]
fn missing_values_are_a_cell_of_their_own() {
    let old = Batch::new(1000, 1);
    let gone = |v: f64| if v < 30.0 { f64::NAN } else { v };
    let new = old.clone().change("transaction_count_6m", gone);
    let at = feature_index("transaction_count_6m").unwrap();
    let report = drift(&old.baseline(), &new.population()).unwrap();
    let line = &report.features[at];
    assert_eq!(line.status, Shift::Fail);
    assert_eq!(line.baseline_missing_rate, 0.0);
    let missing = new.columns[at].iter().filter(|v| v.is_nan()).count();
    assert_eq!(line.missing_rate, missing as f64 / 1000.0);
    assert_eq!(line.actual.last(), Some(&line.missing_rate));
    assert!(report.sentences[0].contains("parties without a value were 0.0 %"));

    let all = old.clone().change("transaction_count_6m", |_| f64::NAN);
    let baseline = all.baseline();
    assert_eq!(
        (
            &baseline.features[at].edges[..],
            baseline.features[at].missing
        ),
        (&[][..], 1000)
    );
    let report = drift(&baseline, &old.population()).unwrap();
    assert!(report.features[at].index.is_finite() && report.features[at].status == Shift::Fail);
    assert_eq!(
        drift(&baseline, &all.population()).unwrap().status,
        Shift::Pass
    );
}

#[test]
fn band_shares_follow_the_names_of_both_cards() {
    let old = Batch::new(100, 1);
    let mut new = Batch::new(100, 1);
    let band = |name: &str, min, max| crate::bands::Band {
        name: name.into(),
        min,
        max,
    };
    new.names = Bands::new(vec![band("excellent", 600, 900), band("refer", 300, 599)]).unwrap();
    new.bands = (0..100).map(|i| usize::from(i >= 30)).collect();
    let report = drift(&old.baseline(), &new.population()).unwrap();
    let names: Vec<_> = report.bands.iter().map(|band| band.band.as_str()).collect();
    assert_eq!(
        names,
        ["excellent", "refer", "good", "fair", "poor", "very_poor"]
    );
    assert_eq!(
        (report.bands[0].share, report.bands[1].baseline),
        (0.3, 0.0)
    );
    let sum = |of: fn(&BandShare) -> f64| report.bands.iter().map(of).sum::<f64>();
    assert!((sum(|b| b.share) - 1.0).abs() < 1e-12 && (sum(|b| b.baseline) - 1.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_counted_is_refused_with_its_place() {
    let batch = Batch::new(10, 1);
    let reason = |change: &dyn Fn(&mut Batch)| {
        let mut changed = batch.clone();
        change(&mut changed);
        PopulationBaseline::of(&changed.population())
            .unwrap_err()
            .reason()
    };
    assert_eq!(reason(&|b| b.raws.clear()), "DRIFT_EMPTY");
    assert_eq!(reason(&|b| b.columns[4].truncate(9)), "DRIFT_LENGTH");
    assert_eq!(reason(&|b| b.bands.truncate(9)), "DRIFT_LENGTH");
    assert_eq!(
        reason(&|b| b.columns[3][2] = f64::INFINITY),
        "DRIFT_NOT_FINITE"
    );
    assert_eq!(reason(&|b| b.raws[1] = f64::NAN), "DRIFT_MISSING_SCORE");
    assert_eq!(reason(&|b| b.bands[1] = 5), "DRIFT_BAND");
}

#[test]
fn a_baseline_that_does_not_add_up_is_refused() {
    let good = Batch::new(50, 1).baseline();
    assert_eq!(good.check(), Ok(()));
    let reason = |change: &dyn Fn(&mut PopulationBaseline)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.check().unwrap_err().reason()
    };
    assert_eq!(reason(&|b| b.rows = 0), "BASELINE_EMPTY");
    assert_eq!(reason(&|b| b.score.name = "raw".into()), "BASELINE_LINES");
    assert_eq!(reason(&|b| b.features.swap(2, 3)), "BASELINE_LINES");
    assert_eq!(
        reason(&|b| b.features[0].name = "shoe_size".into()),
        "BASELINE_LINES"
    );
    assert_eq!(reason(&|b| b.score.edges[0] = f64::NAN), "BASELINE_EDGES");
    assert_eq!(reason(&|b| b.score.edges.reverse()), "BASELINE_EDGES");
    assert_eq!(reason(&|b| b.score.counts[0] += 1), "BASELINE_COUNTS");
    assert_eq!(reason(&|b| b.score.missing = u64::MAX), "BASELINE_COUNTS");
    assert_eq!(reason(&|b| b.score.counts.push(0)), "BASELINE_COUNTS");
    assert_eq!(
        reason(&|b| b.bands[1].band = "excellent".into()),
        "BASELINE_BANDS"
    );
    assert_eq!(reason(&|b| b.bands[1].parties += 1), "BASELINE_BANDS");
}

#[test]
fn a_baseline_read_back_is_the_same() {
    let baseline = Batch::new(333, 5).baseline();
    let text = serde_json::to_string(&baseline).unwrap();
    assert!(text.len() < 8_000, "{}", text.len());
    assert_eq!(
        serde_json::from_str::<PopulationBaseline>(&text).unwrap(),
        baseline
    );
}

#[test]
fn a_card_keeps_the_population_it_was_made_on_and_none_leaves_its_hash() {
    let card = expert_card();
    let baseline = Batch::new(200, 5).baseline();
    let frozen = baseline.clone().freeze(&card).unwrap();
    assert_ne!(frozen.hash(), card.hash());
    let text = serde_json::to_string(&frozen).unwrap();
    let back: crate::card::Scorecard = serde_json::from_str(&text).unwrap();
    assert_eq!(back.hash(), frozen.hash());
    assert_eq!(back.content().training_population, Some(baseline.clone()));
    assert!(
        !serde_json::to_string(&card)
            .unwrap()
            .contains("training_population")
    );
    let broken = PopulationBaseline {
        rows: 3,
        ..baseline
    };
    assert_eq!(
        broken.freeze(&card).unwrap_err().reason(),
        "CARD_TRAINING_POPULATION"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn order_of_parties_changes_nothing(seed in 0u64..1000, rows in 1usize..60) {
        let (old, batch) = (Batch::new(rows, seed), Batch::new(rows + 3, seed + 1));
        let mut turned = batch.clone();
        turned.columns.iter_mut().for_each(|column| column.reverse());
        turned.raws.reverse();
        turned.bands.reverse();
        prop_assert_eq!(turned.baseline(), batch.baseline());
        let baseline = old.baseline();
        let report = drift(&baseline, &batch.population()).unwrap();
        prop_assert!(report.lines().all(|line| line.index >= 0.0 && line.index.is_finite()));
        prop_assert_eq!(drift(&baseline, &turned.population()).unwrap(), report);
    }
}
