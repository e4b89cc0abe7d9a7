//! From a model and the rows that it saw to a draft scorecard with its gates.

use kycc_domain::card::{
    CardError, CompiledCard, PdoAnchor, Provenance, Scaling, Scorecard, ScoringContent,
    round_half_up,
};
use kycc_domain::catalogue::FEATURE_COUNT;
use kycc_domain::drift::{DriftError, PopulationBaseline, ScoredPopulation};
use kycc_domain::gates::{GateError, GateInput, GateReport, evaluate};
use kycc_domain::logistic::RawModel;
use kycc_domain::matrix::{Matrix, MatrixError};
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::refine::{RefineError, RefineInput, WantedScaling, fit_link, raw_scores, refine};
use kycc_domain::rules::{RuleError, RuleSet};

/// Rows of one side of the split, features in catalogue order.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) features: Vec<[f64; FEATURE_COUNT]>,
    pub(crate) bad: Vec<bool>,
    pub(crate) observed: Vec<bool>,
    pub(crate) weights: Vec<f64>,
    /// When each party was scored.
    pub(crate) t0_micros: Vec<i64>,
}

/// What a draft is made of.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) champion: &'a Scorecard,
    pub(crate) model: &'a RawModel,
    pub(crate) model_id: &'a str,
    pub(crate) author: &'a str,
    /// 0 is all champion, 1 all model.
    pub(crate) blend: f64,
    pub(crate) scaling: WantedScaling,
    pub(crate) train: &'a Rows,
    pub(crate) holdout: &'a Rows,
    pub(crate) rules: &'a RuleSet,
}

/// A draft, judged.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) card: Scorecard,
    pub(crate) report: GateReport,
    /// Why the card gives no probability of default, where it does not.
    pub(crate) missing_link: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DraftError {
    #[error("the training rows make no matrix")]
    Matrix(#[source] MatrixError),
    #[error("{0}")]
    Refine(#[source] RefineError),
    #[error(
        "the draft's scores run from {least} to {greatest}, so {unreachable} can never be reached; at the same odds, pdo \
         {pdo} with base {base} spans its bands"
    )]
    Unreachable {
        least: i32,
        greatest: i32,
        unreachable: String,
        pdo: f64,
        base: i32,
    },
    #[error("the draft is no valid card: {0}")]
    Card(#[source] CardError),
    #[error("a decision rule failed on a training row: {0}")]
    Rule(#[source] RuleError),
    #[error("the training rows make no population to measure drift against: {0}")]
    Population(#[source] DriftError),
    #[error("the gates could not be evaluated: {0}")]
    Gates(#[source] GateError),
}

impl DraftError {
    /// Stable, UPPER_SNAKE.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Matrix(_) => "TRAINING_ROWS_INVALID",
            Self::Refine(error) => error.reason(),
            Self::Unreachable { .. } => "PDO_BANDS_UNREACHABLE",
            Self::Card(error) => error.reason(),
            Self::Rule(_) => "RULE_FAILED",
            Self::Population(error) => error.reason(),
            Self::Gates(_) => "GATES_UNEVALUABLE",
        }
    }
}

/// Works out the draft and judges it.
pub(crate) fn draft(input: &Input<'_>) -> Result<Draft, DraftError> {
    let champion = input.champion.compile();
    let factors = champion.factor_count();
    let train = scaled(&champion, input.train);
    let train = Matrix::new(&train, factors).map_err(DraftError::Matrix)?;
    let holdout = scaled(&champion, input.holdout);
    let holdout = Matrix::new(&holdout, factors).map_err(DraftError::Matrix)?;
    let refine_input = RefineInput {
        expert: input.champion,
        model: input.model,
        lambda: input.blend,
        scaling: input.scaling,
        rows: train,
        bad: &input.train.bad,
        weights: Some(&input.train.weights),
    };
    let provenance = Provenance {
        parent: Some(input.champion.hash()),
        author: Some(input.author.to_owned()),
        model_id: Some(input.model_id.to_owned()),
    };
    let refined = refine(&refine_input, "draft", provenance.clone()).map_err(DraftError::Refine)?;
    if let Scaling::Pdo(pdo) = refined.card.scaling() {
        check_reach(
            &refined.card.compile(),
            refined.card.content().cutoff,
            pdo.anchor,
        )?;
    }
    let card = named(input, freeze(input, &refined.card)?, provenance)?;

    let champion_train = raw_scores(input.champion, train);
    let fitted = || {
        let base = input.champion.scaling().base();
        fit_link(
            &champion_train,
            base,
            &input.train.bad,
            Some(&input.train.weights),
        )
        .ok()
    };
    let report = evaluate(&GateInput {
        champion: input.champion,
        champion_link: input.champion.content().link.or_else(fitted),
        challenger: &card,
        train,
        train_raw: &refined.train_raw,
        train_observed: &input.train.observed,
        train_weights: Some(&input.train.weights),
        holdout,
        holdout_bad: &input.holdout.bad,
        holdout_observed: &input.holdout.observed,
        holdout_champion_raw: &raw_scores(input.champion, holdout),
        holdout_challenger_raw: &raw_scores(&card, holdout),
    })
    .map_err(DraftError::Gates)?;
    Ok(Draft {
        card,
        report,
        missing_link: refined.missing_link.map(|error| error.to_string()),
    })
}

/// Bands and cut-off stay where people put them whatever the anchor is; under one that does not suit them nobody could ever
/// be, say, excellent. Final scores are held to what the bands cover, so more than that is no fault.
fn check_reach(card: &CompiledCard, cutoff: i32, anchor: PdoAnchor) -> Result<(), DraftError> {
    let (least, greatest) = (round_half_up(card.least()), round_half_up(card.greatest()));
    let bands = card.bands().as_slice().iter();
    let mut unreachable: Vec<String> = bands
        .filter(|band| greatest < band.min || least > band.max)
        .map(|band| format!("band {} ({} to {})", band.name, band.min, band.max))
        .collect();
    if greatest < cutoff {
        unreachable.push(format!("the cut-off of {cutoff}"));
    } else if least >= cutoff {
        unreachable.push(format!("a score below the cut-off of {cutoff}"));
    }
    if unreachable.is_empty() {
        return Ok(());
    }
    let (low, high) = card.bands().range();
    let stretch = f64::from(high - low) / (card.greatest() - card.least());
    let base = f64::from(low) + (f64::from(anchor.base) - card.least()) * stretch;
    Err(DraftError::Unreachable {
        least,
        greatest,
        unreachable: unreachable.join(", "),
        pdo: (anchor.pdo * stretch * 10.0).round() / 10.0,
        base: round_half_up(base),
    })
}

fn scaled(card: &CompiledCard, rows: &Rows) -> Vec<f64> {
    let count = card.factor_count();
    let mut out = vec![0.0; rows.features.len() * count];
    for (row, out) in rows.features.iter().zip(out.chunks_exact_mut(count)) {
        card.scale_into(row, out);
    }
    out
}

/// The content with its populations frozen: the training rows, as this card scores them, which reasons compare with and
/// drift is measured against.
fn freeze(input: &Input<'_>, card: &Scorecard) -> Result<ScoringContent, DraftError> {
    let compiled = card.compile();
    let factors = compiled.factor_count();
    let mut points = vec![0.0; input.train.features.len() * factors];
    let (mut raws, mut finals, mut bands) = (Vec::new(), Vec::new(), Vec::new());
    for (row, points) in input
        .train
        .features
        .iter()
        .zip(points.chunks_exact_mut(factors))
    {
        let raw = compiled.score_into(row, points);
        let decision = input
            .rules
            .apply(&compiled, row, raw)
            .map_err(DraftError::Rule)?;
        raws.push(raw);
        finals.push(decision.final_score);
        bands.push(decision.band);
    }
    let means = ReferenceMeans::of_population(&points, &finals, card.content().cutoff);
    let columns = columns(&input.train.features);
    let population = ScoredPopulation {
        columns: std::array::from_fn(|feature| &columns[feature][..]),
        raws: &raws,
        bands: &bands,
        names: card.bands(),
    };
    let baseline = PopulationBaseline::of(&population).map_err(DraftError::Population)?;
    Ok(ScoringContent {
        reference: means.map(|means| means.freeze(&compiled)),
        training_population: Some(baseline),
        ..card.content().clone()
    })
}

fn columns(rows: &[[f64; FEATURE_COUNT]]) -> [Vec<f64>; FEATURE_COUNT] {
    std::array::from_fn(|feature| rows.iter().map(|row| row[feature]).collect())
}

/// Named after its champion and its own content: `1.0-3fa9c1d2`.
fn named(
    input: &Input<'_>,
    content: ScoringContent,
    provenance: Provenance,
) -> Result<Scorecard, DraftError> {
    let build = |version: &str| {
        Scorecard::new(version, content.clone(), provenance.clone()).map_err(DraftError::Card)
    };
    let hash = build("draft")?.hash().to_string();
    let root = input
        .champion
        .version()
        .split('-')
        .next()
        .unwrap_or_default();
    build(&format!("{root}-{}", hash.get(..8).unwrap_or(&hash)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::catalogue::feature_index;
    use kycc_domain::expert::expert_card;
    use kycc_domain::gates::{Gate, GateStatus};
    use kycc_domain::rules::default_rules;

    fn rows(count: usize, observed: bool) -> Rows {
        let place = |name: &str| feature_index(name).unwrap();
        let mut rows = Rows::default();
        for index in 0..count {
            let mut features = [0.0; FEATURE_COUNT];
            features[place("kyc_verified")] = f64::from(index % 3 != 0);
            features[place("recent_activity_flag")] = f64::from(index % 5 != 0);
            features[place("network_size")] = (index % 17) as f64;
            rows.bad
                .push(index % 7 == 0 || (index % 3 == 0 && index % 2 == 0));
            rows.features.push(features);
            rows.observed.push(observed);
            rows.weights.push(1.0);
            rows.t0_micros.push(0);
        }
        rows
    }

    fn made(observed: bool, blend: f64) -> Draft {
        scaled_as(WantedScaling::MinMax, observed, blend).unwrap()
    }

    fn scaled_as(scaling: WantedScaling, observed: bool, blend: f64) -> Result<Draft, DraftError> {
        let (train, holdout) = (rows(1_000, observed), rows(500, observed));
        let champion = expert_card();
        let slopes = champion
            .factors()
            .iter()
            .map(|factor| -factor.weight / 30.0)
            .collect();
        let model = RawModel {
            intercept: 0.2,
            slopes,
        };
        let rules = RuleSet::compile(&default_rules()).unwrap();
        draft(&Input {
            champion: &champion,
            model: &model,
            model_id: "m-1",
            author: "ann",
            blend,
            scaling,
            train: &train,
            holdout: &holdout,
            rules: &rules,
        })
    }

    #[test]
    fn a_draft_is_named_after_its_champion_and_its_own_content() {
        let card = made(true, 0.5).card;
        let hash = card.hash().to_string();
        assert_eq!(card.version(), format!("1.0-{}", &hash[..8]));
        assert_eq!(card.provenance().model_id.as_deref(), Some("m-1"));
        assert_eq!(made(true, 0.5).card.hash(), card.hash());
        assert_eq!(
            card.content()
                .reference
                .as_ref()
                .map(|population| population.parties),
            Some(1_000)
        );
        let baseline = card.content().training_population.as_ref();
        assert_eq!(baseline.map(|population| population.rows), Some(1_000));
    }

    #[test]
    fn an_anchor_that_leaves_bands_out_of_reach_is_refused_with_one_that_does_not() {
        let scaled_by = |pdo, base| {
            let anchor = PdoAnchor {
                pdo,
                odds: 50.0,
                base,
            };
            scaled_as(WantedScaling::Pdo(anchor), true, 0.5)
        };
        let refused = scaled_by(1.0, 600).unwrap_err();
        assert_eq!(refused.reason(), "PDO_BANDS_UNREACHABLE");
        let text = refused.to_string();
        assert!(text.contains("band excellent (800 to 900)"), "{text}");
        let DraftError::Unreachable { pdo, base, .. } = refused else {
            panic!("{text}");
        };
        let card = scaled_by(pdo, base).unwrap().card.compile();
        assert!(card.greatest() > 890.0 && card.least() < 310.0);
        // Everybody above every band but the best.
        let above = scaled_by(1.0, 5_000).unwrap_err().to_string();
        assert!(
            above.contains("a score below the cut-off of 600"),
            "{above}"
        );
    }

    #[test]
    fn scorecard_labels_alone_are_circular_and_never_activatable() {
        let report = made(false, 0.5).report;
        assert_eq!(
            report.result(Gate::CircularLabels).map(|gate| gate.status),
            Some(GateStatus::Fail)
        );
        assert!(!report.activatable && report.bootstrap);
    }
}
