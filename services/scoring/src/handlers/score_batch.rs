//! The `score_batch` task: a batch's feature vectors in, a score for every party of the shard out.

use std::sync::atomic::Ordering;

use arrow::array::AsArray;
use async_trait::async_trait;
use kycc_domain::bands::Bands;
use kycc_domain::card::Scorecard;
use kycc_domain::reasons::ReferenceMeans;
use kycc_domain::rules::{Rule, RuleSet};
use kycc_lake::Metadata;
use kycc_lake::datasets::{BATCH, FEATURE_VECTORS, SCORES};
use kycc_runtime::{Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;
use serde_json::json;

use super::card_source::ActiveScorecard;
use super::rows::{Scores, feature_columns};
use crate::core::population::{self, Population, Stopped};
use crate::core::statistics::Statistics;

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
        "score_batch"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: Config = cx.config()?;
        let source = ActiveScorecard::parse(&cx.source("active_scorecard")?.document_json)
            .map_err(|error| {
                TaskError::fatal(
                    "SCORECARD_UNREADABLE",
                    "the scorecard of the task is not a valid one",
                )
                .with_source(error)
            })?;
        let rules = source.rules(config.rules.as_deref()).map_err(|error| {
            TaskError::fatal(
                "RULES_INVALID",
                format!("the decision rules are not usable: {error}"),
            )
            .with_source(error)
        })?;
        // Every shard scores the whole batch: reasons compare with its means, and scoring costs less than reading.
        let scored = cx.input(FEATURE_VECTORS.name)?;
        let features = cx.lake().read(&scored, None, None).await?;
        let parties = features.num_rows();
        cx.check_cancelled()?;
        let card = source.card.compile();
        let columns = feature_columns(&features).map_err(|name| {
            TaskError::fatal(
                "FEATURES_INCOMPLETE",
                format!("feature {name} has no value for some parties"),
            )
        })?;
        let cancel = cx.cancel_flag();
        let population =
            population::score(&card, &rules, &columns, || cancel.load(Ordering::Relaxed))
                .map_err(|stopped| task_error(stopped, &features))?;
        let statistics = Statistics::of(card.bands(), &rules, &population.decisions);
        let reference = reference(cx, &source.card, config.cutoff, &population)?;
        log(cx, &source.card, &statistics);

        let party_ids = features
            .column_by_name("party_id")
            .and_then(|ids| ids.as_string_opt::<i32>());
        let party_ids = party_ids.ok_or_else(|| {
            TaskError::fatal(
                "FEATURES_INCOMPLETE",
                "the feature vectors have no column party_id",
            )
        })?;
        let scores = Scores {
            card: &card,
            rules: &rules,
            party_ids,
            population: &population,
            reference: &reference,
        };
        let range = cx
            .shard()
            .ordinals(u32::try_from(parties).map_err(|_| too_many(parties))?);
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
        let as_of = cx.lake().document(&cx.input(BATCH.name)?).await?["as_of"].clone();
        let mut metadata = metadata(&source.card, &rules, &statistics, &reference, as_of);
        metadata.insert("features_version".into(), json!(scored.key));
        // The same in every shard, as each has seen all parties.
        let published = writer.finish(Metadata::new(), |_| metadata).await?;
        Ok(Output {
            published: vec![published],
            metadata: Metadata::new(),
        })
    }
}

/// Who reasons compare with: the population frozen with the card, else the batch.
fn reference(
    cx: &TaskContext,
    card: &Scorecard,
    cutoff: Option<i32>,
    population: &Population,
) -> Result<ReferenceMeans, TaskError> {
    let own = card.content().cutoff;
    if let Some(frozen) = ReferenceMeans::frozen(card) {
        if cutoff.is_some_and(|cutoff| cutoff != own) {
            cx.warning(format!("the card's reference population is frozen at cutoff {own}; the config's is not used"));
        }
        return Ok(frozen);
    }
    let finals: Vec<i32> = population
        .decisions
        .iter()
        .map(|decision| decision.final_score)
        .collect();
    ReferenceMeans::of_population(&population.points, &finals, cutoff.unwrap_or(own))
        .ok_or_else(|| TaskError::fatal("EMPTY_BATCH", "the batch has no party to score"))
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

fn metadata(
    card: &Scorecard,
    rules: &RuleSet,
    statistics: &Statistics,
    reference: &ReferenceMeans,
    as_of: serde_json::Value,
) -> Metadata {
    let mut metadata = Metadata::new();
    if let serde_json::Value::Object(numbers) = json!(statistics) {
        metadata.extend(numbers);
    }
    let more = [
        ("scorecard_version", json!(card.version())),
        ("scorecard_hash", json!(card.hash())),
        ("rules_digest", json!(rules.digest())),
        ("as_of", as_of),
        ("reference_parties", json!(reference.parties)),
        ("near_cutoff_parties", json!(reference.near_cutoff_parties)),
        // The whole card, so that what is published explains itself for ever.
        ("card", json!(card)),
    ];
    metadata.extend(more.map(|(label, value)| (label.to_owned(), value)));
    metadata
}

fn too_many(parties: usize) -> TaskError {
    TaskError::fatal(
        "BATCH_TOO_LARGE",
        format!(
            "a batch holds at most {} parties, this one {parties}",
            u32::MAX
        ),
    )
}

fn task_error(stopped: Stopped, features: &arrow::array::RecordBatch) -> TaskError {
    match stopped {
        Stopped::Cancelled => TaskError::cancelled(),
        Stopped::Rule { row, source } => {
            let ids = features
                .column_by_name("party_id")
                .and_then(|ids| ids.as_string_opt::<i32>());
            let party = ids.map_or_else(|| format!("row {row}"), |ids| ids.value(row).to_owned());
            TaskError::fatal("RULE_FAILED", format!("a decision rule failed: {source}"))
                .with_record(format!("party {party}"))
                .with_source(source)
        }
    }
}

/// Names of bands, for errors.
pub(crate) fn band_names(bands: &Bands) -> String {
    let names: Vec<_> = bands
        .as_slice()
        .iter()
        .map(|band| band.name.as_str())
        .collect();
    names.join(", ")
}
