//! The `score_batch` task: a batch's feature vectors in, a score for every party of the shard out, and beside it what the
//! card in the shadow would have said.

mod in_shadow;
mod metadata;

use std::sync::atomic::Ordering;

use arrow::array::{RecordBatch, StringArray};
use async_trait::async_trait;
use kycc_domain::card::Scorecard;
use kycc_domain::catalogue::FEATURES;
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::rules::Rule;
use kycc_lake::Metadata;
use kycc_lake::datasets::{FEATURE_VECTORS, SCORES};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;

use self::in_shadow::InShadow;
use self::metadata::Said;
use super::card_source::{ActiveRules, ActiveScorecard};
use super::rows::{Scores, feature_columns, party_ids};
use crate::core::drift_check::Check;
use crate::core::population::{self, Columns, Decided, Stopped, countable};
use crate::core::statistics::Statistics;

pub(crate) const ASSET: &str = "score_batch";

/// Rows written at a time.
const ROWS: usize = 65_536;

/// See the asset's config schema in the pipeline definitions.
#[derive(Debug, Deserialize)]
struct Config {
    /// Absent: the card's own.
    cutoff: Option<i32>,
    rules: Option<Vec<Rule>>,
}

#[derive(Debug)]
pub(crate) struct ScoreBatch;

#[async_trait]
impl TaskHandler for ScoreBatch {
    fn asset(&self) -> &'static str {
        ASSET
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: Config = cx.config()?;
        let source = active_scorecard(cx)?;
        let in_force = active_rules(cx)?;
        let rules = in_force.rules(config.rules.as_deref()).map_err(|error| {
            TaskError::fatal(
                "RULES_INVALID",
                format!("the decision rules are not usable: {error}"),
            )
            .with_source(error)
        })?;
        // Every shard scores the whole batch: reasons compare with its means, and scoring costs less than reading.
        let scored = cx.input(FEATURE_VECTORS.name)?;
        let wanted: Vec<_> = std::iter::once("party_id")
            .chain(FEATURES.iter().map(|spec| spec.name))
            .collect();
        let features = cx.lake().read(&scored, Some(&wanted), None).await?;
        cx.check_cancelled()?;
        let columns = feature_columns(&features)
            .map_err(|name| incomplete(format!("feature {name} has no value for some parties")))?;
        let party_ids = party_ids(&features)
            .ok_or_else(|| incomplete("the feature vectors have no column party_id".into()))?;
        let card = source.card.compile();
        let cancel = cx.cancel_flag();
        let cancelled = || cancel.load(Ordering::Relaxed);
        let population = population::score(&card, &rules, &columns, cancelled)
            .map_err(|stopped| task_error(stopped, party_ids))?;
        let decided = &population.decided;
        let statistics = Statistics::of(card.bands(), &rules, &decided.decisions)
            .ok_or_else(|| TaskError::fatal("EMPTY_BATCH", "the batch has no party to score"))?;
        let reference = reference(cx, &source.card, config.cutoff, &population)?;
        let shadow = InShadow::of(cx, &rules, &columns)?;
        let said = Said {
            card: &source.card,
            rules: &rules,
            rules_version: config.rules.is_none().then_some(in_force.version),
            statistics: &statistics,
            reference: &reference,
            features_key: &scored.key,
            as_of: cx.as_of().await?.timestamp_micros(),
        };
        // What is counted over the whole batch is counted, and told, by one shard.
        let mut counted = Metadata::new();
        if cx.shard().index == 0 {
            let check = drift_check(cx, &source.card, &columns, decided);
            log(cx, &source.card, &statistics);
            counted = metadata::counted(&check);
        }

        let scores = Scores {
            card: &card,
            rules: &rules,
            party_ids,
            population: &population,
            reference: &reference,
        };
        let range = cx.shard().ordinals(parties(&features)?);
        let mut writer = cx.writer(&SCORES);
        let mut at = range.start as usize;
        while at < range.end as usize {
            cx.check_cancelled()?;
            let end = (at + ROWS).min(range.end as usize);
            let rows = scores.rows(at..end).map_err(|error| {
                TaskError::fatal("ROWS_INVALID", "the scores do not fit their dataset")
                    .with_source(error)
            })?;
            writer.write(&rows).await?;
            at = end;
            cx.progress(
                (at as u64).saturating_sub(range.start.into()),
                range.len() as u64,
            );
        }
        let published = writer
            .finish(counted, |counted| said.metadata(counted))
            .await?;
        let beside = shadow
            .publish(cx, party_ids, range, &source.card, decided)
            .await?;
        Ok(Output {
            published: vec![published, beside],
            metadata: Metadata::new(),
        })
    }
}

fn active_rules(cx: &TaskContext) -> Result<ActiveRules, TaskError> {
    let document = &cx.source("active_rules")?.document_json;
    ActiveRules::parse(document).map_err(|error| {
        TaskError::fatal(
            "RULES_INVALID",
            "the decision rules of the task are not valid ones",
        )
        .with_source(error)
    })
}

fn active_scorecard(cx: &TaskContext) -> Result<ActiveScorecard, TaskError> {
    let document = &cx.source("active_scorecard")?.document_json;
    ActiveScorecard::parse(document).map_err(|error| {
        TaskError::fatal(
            "SCORECARD_UNREADABLE",
            "the scorecard of the task is not a valid one",
        )
        .with_source(error)
    })
}

/// Who reasons compare with: the population frozen with the card, else the batch.
fn reference(
    cx: &TaskContext,
    card: &Scorecard,
    cutoff: Option<i32>,
    population: &population::Population,
) -> Result<ReferenceMeans, TaskError> {
    let own = card.content().cutoff;
    if let Some(frozen) = ReferenceMeans::frozen(card) {
        if cutoff.is_some_and(|cutoff| cutoff != own) && cx.shard().index == 0 {
            cx.warning(format!("the card's reference population is frozen at cutoff {own}; the config's is not used"));
        }
        return Ok(frozen);
    }
    let finals = population.decided.final_scores();
    ReferenceMeans::of_population(&population.points, &finals, cutoff.unwrap_or(own))
        .ok_or_else(|| TaskError::fatal("EMPTY_BATCH", "the batch has no party to score"))
}

/// A batch that has moved is scored all the same; its step says so.
fn drift_check(
    cx: &TaskContext,
    card: &Scorecard,
    columns: &Columns<'_>,
    decided: &Decided,
) -> Check {
    let bands = decided.bands();
    let check = Check::of(
        card,
        &countable(columns, &decided.raw, &bands, card.bands()),
    );
    match check.passed {
        Some(true) => cx.info(format!("no drift: {}", check.description)),
        Some(false) => cx.warning(format!(
            "the batch has drifted from the {} parties that card {} was trained on: {}",
            check.baseline_parties,
            card.version(),
            check.description,
        )),
        None => cx.info(format!("drift was not evaluated: {}", check.description)),
    }
    check
}

fn log(cx: &TaskContext, card: &Scorecard, statistics: &Statistics) {
    let bands: Vec<_> = statistics
        .bands
        .iter()
        .map(|band| format!("{} {}", band.parties, band.band))
        .collect();
    cx.info(format!(
        "{} parties scored by card {}: average {:.1}, {}",
        statistics.parties_scored,
        card.version(),
        statistics.avg_score,
        bands.join(", "),
    ));
    if statistics.flagged > 0 {
        cx.warning(format!(
            "{} parties are flagged for review",
            statistics.flagged
        ));
    }
}

fn incomplete(message: String) -> TaskError {
    TaskError::fatal("FEATURES_INCOMPLETE", message)
}

fn parties(features: &RecordBatch) -> Result<u32, TaskError> {
    let parties = features.num_rows();
    u32::try_from(parties).map_err(|_| {
        TaskError::fatal(
            "BATCH_TOO_LARGE",
            format!(
                "a batch holds at most {} parties, this one {parties}",
                u32::MAX
            ),
        )
    })
}

fn task_error(stopped: Stopped, party_ids: &StringArray) -> TaskError {
    match stopped {
        Stopped::Cancelled => TaskError::cancelled(),
        Stopped::Rule { row, source } => {
            TaskError::fatal("RULE_FAILED", format!("a decision rule failed: {source}"))
                .with_record(format!("party {}", party_ids.value(row)))
                .with_source(source)
        }
    }
}
