//! The card in the shadow: it scores what the active one scores, into a dataset of its own, and can spoil nothing.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, Float64Array, Int32Array, RecordBatch, StringArray, UInt32Array};
use arrow::error::ArrowError;
use kycc_domain::card::{Scorecard, round_half_up};
use kycc_domain::rules::RuleSet;
use kycc_lake::datasets::SHADOW_SCORES;
use kycc_lake::{Metadata, Published};
use kycc_runtime::{TaskContext, TaskError};
use serde_json::{Value, json};

use super::ROWS;
use crate::core::population::{Columns, Decided, Stopped, decide_all};
use crate::core::shadow::Shadow;
use crate::handlers::card_source::ShadowScorecard;

/// What became of the card in the shadow; the same in every shard, as each scores all parties.
#[derive(Debug)]
pub(super) enum InShadow {
    Nobody,
    Scored(Box<Shadow>),
    /// It could not score this batch. The batch is scored without it.
    Failed {
        version: Option<String>,
        why: String,
    },
}

impl InShadow {
    /// Scores every party by the card in the shadow, under the rules in force.
    pub(super) fn of(
        cx: &TaskContext,
        rules: &RuleSet,
        columns: &Columns<'_>,
    ) -> Result<Self, TaskError> {
        let document = &cx.source("shadow_scorecard")?.document_json;
        let (version, card) = match ShadowScorecard::parse(document) {
            Ok(None) => return Ok(Self::Nobody),
            Ok(Some(ShadowScorecard { version, card })) => (version, card),
            Err(error) => {
                let why = format!("its document is not a valid card: {error}");
                return Ok(Self::Failed { version: None, why });
            }
        };
        let compiled = card.compile();
        let cancel = cx.cancel_flag();
        let decided = decide_all(&compiled, rules, columns, || cancel.load(Ordering::Relaxed));
        match decided {
            Ok(decided) => Ok(Self::Scored(Box::new(Shadow { card, decided }))),
            Err(Stopped::Cancelled) => Err(TaskError::cancelled()),
            Err(Stopped::Rule { row, source }) => Ok(Self::Failed {
                version: Some(version),
                why: format!("a decision rule failed on the party in row {row}: {source}"),
            }),
        }
    }

    /// Writes the shard's rows; none where nobody is in the shadow.
    pub(super) async fn publish(
        self,
        cx: &TaskContext,
        party_ids: &StringArray,
        range: Range<u32>,
        champion: &Scorecard,
        decided: &Decided,
    ) -> Result<Published, TaskError> {
        let mut writer = cx.writer(&SHADOW_SCORES);
        if let Self::Scored(shadow) = &self {
            for at in (range.start as usize..range.end as usize).step_by(ROWS) {
                cx.check_cancelled()?;
                let rows = at..(at + ROWS).min(range.end as usize);
                let rows = rows_of(shadow, party_ids, rows).map_err(|error| {
                    TaskError::fatal("ROWS_INVALID", "the scores do not fit their dataset")
                        .with_source(error)
                })?;
                writer.write(&rows).await?;
            }
        }
        let mut counted = Metadata::new();
        if cx.shard().index == 0
            && let Some(said) = self.said(cx, champion, decided)
        {
            counted.insert("shadow".into(), said);
        }
        writer.finish(counted, |counted| counted).await
    }

    /// Under one name, as the metadata of all datasets of a step are shown together.
    fn said(&self, cx: &TaskContext, champion: &Scorecard, decided: &Decided) -> Option<Value> {
        let shadow = match self {
            Self::Nobody => return None,
            Self::Failed { version, why } => {
                cx.warning(format!(
                    "the card in the shadow did not score this batch: {why}"
                ));
                return Some(json!({"version": version, "not_scored": why}));
            }
            Self::Scored(shadow) => shadow,
        };
        let mut said = json!({
            "version": shadow.card.version(),
            "hash": shadow.card.hash(),
            "champion_version": champion.version(),
            "champion_hash": champion.hash(),
            "card": shadow.card,
        });
        match shadow.numbers(champion, decided) {
            Ok(numbers) => {
                cx.info(format!(
                    "card {} in the shadow: average {:.1} instead of {:.1}, PSI {:.3}; {} parties in a better band, {} in a \
                     worse one",
                    shadow.card.version(),
                    numbers.challenger_avg_score,
                    numbers.champion_avg_score,
                    numbers.psi,
                    numbers.moved_better,
                    numbers.moved_worse,
                ));
                said["comparison"] = json!(numbers);
            }
            Err(error) => said["not_compared"] = json!(error.to_string()),
        }
        Some(said)
    }
}

fn rows_of(
    shadow: &Shadow,
    party_ids: &StringArray,
    range: Range<usize>,
) -> Result<RecordBatch, ArrowError> {
    let raw = &shadow.decided.raw[range.clone()];
    let decisions = &shadow.decided.decisions[range.clone()];
    let bands = shadow.card.bands().as_slice();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(
            range.clone().map(|at| at as u32),
        )),
        Arc::new(party_ids.slice(range.start, range.len())),
        Arc::new(Float64Array::from(raw.to_vec())),
        Arc::new(Int32Array::from_iter_values(
            raw.iter().map(|&raw| round_half_up(raw)),
        )),
        Arc::new(Int32Array::from_iter_values(
            decisions.iter().map(|decision| decision.final_score),
        )),
        Arc::new(StringArray::from_iter_values(
            decisions
                .iter()
                .map(|decision| bands[decision.band].name.as_str()),
        )),
    ];
    RecordBatch::try_new(SHADOW_SCORES.schema(), columns)
}
