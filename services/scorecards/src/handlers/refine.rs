//! The `refine_scorecard` task: a model in, a draft scorecard with its gates out. It is never active by itself.

use std::sync::Arc;

use async_trait::async_trait;
use kycc_domain::canonical::canonical_json;
use kycc_domain::card::{PdoAnchor, Scorecard};
use kycc_domain::gates::{GateStatus, Verdict};
use kycc_domain::logistic::LogisticFit;
use kycc_domain::model_card::ModelCard;
use kycc_domain::refine::WantedScaling;
use kycc_domain::rules::{Rule, RuleSet};
use kycc_lake::Metadata;
use kycc_lake::datasets::{MODEL, SCORECARD_DRAFT, TRAINING_ROWS};
use kycc_runtime::{Clock, Output, TaskContext, TaskError, TaskHandler};
use serde::Deserialize;
use serde_json::json;

use super::model_card::Refined;
use super::source::RULES;
use super::{judged, model_card};
use crate::core::draft::{Draft, Input, draft};
use crate::core::standing::Standing;
use crate::core::version::{Status, Version};
use crate::store::{ChangeError, VersionStore};

/// See the asset's config schema in the pipeline definitions.
#[derive(Debug, Deserialize)]
struct Config {
    blend: f64,
    scaling: ScalingKind,
    /// The three that only `pdo` takes.
    pdo: Option<f64>,
    odds: Option<f64>,
    base: Option<i32>,
}

/// Where `pdo` is asked for and no more is said.
const ANCHOR: PdoAnchor = PdoAnchor {
    pdo: 20.0,
    odds: 50.0,
    base: 600,
};

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScalingKind {
    MinMax,
    Pdo,
}

impl Config {
    fn scaling(&self) -> WantedScaling {
        match self.scaling {
            ScalingKind::MinMax => WantedScaling::MinMax,
            ScalingKind::Pdo => WantedScaling::Pdo(PdoAnchor {
                pdo: self.pdo.unwrap_or(ANCHOR.pdo),
                odds: self.odds.unwrap_or(ANCHOR.odds),
                base: self.base.unwrap_or(ANCHOR.base),
            }),
        }
    }
}

/// What the task needs of the `model` document.
#[derive(Debug, Deserialize)]
struct Model {
    model_id: String,
    note: String,
    scorecard_version: String,
    scorecard_hash: String,
    learned: Option<Learned>,
}

#[derive(Debug, Deserialize)]
struct Learned {
    fit: LogisticFit,
}

/// What the task needs of the source `active_scorecard`.
#[derive(Debug, Deserialize)]
struct ActiveScorecard {
    card: Scorecard,
}

/// What the task needs of the source `active_rules`.
#[derive(Debug, Deserialize)]
struct ActiveRules {
    rules: Vec<Rule>,
}

pub(crate) struct Refine {
    pub(crate) store: Arc<dyn VersionStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl TaskHandler for Refine {
    fn asset(&self) -> &'static str {
        "refine_scorecard"
    }

    async fn run(&self, cx: &TaskContext) -> Result<Output, TaskError> {
        let config: Config = cx.config()?;
        let unreadable = |what: &str, error: serde_json::Error| {
            TaskError::fatal(
                "INPUT_UNREADABLE",
                format!("the {what} of the task is not a valid one"),
            )
            .with_source(error)
        };
        let document = cx.lake().document(&cx.input(MODEL.name)?).await?;
        let model: Model =
            Model::deserialize(&document).map_err(|error| unreadable("model", error))?;
        let champion: ActiveScorecard =
            serde_json::from_str(&cx.source("active_scorecard")?.document_json)
                .map_err(|error| unreadable("scorecard", error))?;
        let Some(learned) = &model.learned else {
            cx.warning(format!("skipped: {}", model.note));
            let document =
                json!({"status": "skipped", "reason": model.note, "model_id": model.model_id});
            let metadata = Metadata::from_iter([
                ("status".to_owned(), json!("skipped")),
                ("reason".to_owned(), json!(model.note)),
            ]);
            let published = cx
                .put_document(&SCORECARD_DRAFT, &document, metadata)
                .await?;
            return Ok(Output {
                published: vec![published],
                metadata: Metadata::new(),
            });
        };
        if champion.card.hash().to_string() != model.scorecard_hash {
            return Err(TaskError::fatal(
                "SCORECARD_CHANGED",
                format!(
                    "the model was trained through scorecard {}, but {} is active now; train again, then refine",
                    model.scorecard_version,
                    champion.card.version()
                ),
            ));
        }
        let (train, holdout) = judged::read(cx).await?;
        let rules: ActiveRules = serde_json::from_str(&cx.source(RULES)?.document_json)
            .map_err(|error| unreadable("rules", error))?;
        let rules = RuleSet::compile(&rules.rules).map_err(|error| {
            TaskError::fatal(
                "RULES_INVALID",
                format!("the decision rules are not usable: {error}"),
            )
            .with_source(error)
        })?;
        let raw_model = learned.fit.raw_model();
        let made = draft(&Input {
            champion: &champion.card,
            model: &raw_model,
            model_id: &model.model_id,
            author: cx.principal(),
            blend: config.blend,
            scaling: config.scaling(),
            train: &train,
            holdout: &holdout,
            rules: &rules,
        })
        .map_err(|error| TaskError::fatal(error.reason(), error.to_string()).with_source(error))?;
        log(cx, &made);
        let trained =
            serde_json::from_value(document).map_err(|error| unreadable("model", error))?;
        let rows = cx.lake().existing(&cx.input(TRAINING_ROWS.name)?).await?;
        let model_card = model_card::write(
            &trained,
            &Refined {
                champion: &champion.card,
                draft: &made,
                blend: config.blend,
                dataset_digest: rows.digest.as_str(),
                train: &train,
                holdout: &holdout,
            },
        );
        // Before the manifest: once the version is there, nobody runs this again.
        let name = self
            .enter(cx, &config, &champion.card, &made, &model_card)
            .await?;
        let document = json!({
            "status": made.report.verdict,
            "version": name,
            "hash": made.card.hash(),
            "card": made.card,
            "parent": champion.card.version(),
            "model_id": model.model_id,
            "blend": config.blend,
            "scaling": made.card.scaling().kind(),
            "gates": made.report,
            "model_card": model_card,
        });
        let published = cx
            .put_document(&SCORECARD_DRAFT, &document, metadata(&name, &made))
            .await?;
        Ok(Output {
            published: vec![published],
            metadata: Metadata::new(),
        })
    }
}

impl Refine {
    async fn enter(
        &self,
        cx: &TaskContext,
        config: &Config,
        champion: &Scorecard,
        made: &Draft,
        model_card: &ModelCard,
    ) -> Result<String, TaskError> {
        let status = match made.report.verdict {
            Verdict::Gated => Status::Gated,
            Verdict::Failed => Status::Failed,
        };
        let version = Version {
            card: made.card.clone(),
            gates: Some(made.report.clone()),
            missing_link: made.missing_link.clone(),
            author: cx.principal().to_owned(),
            parent: Some(champion.version().to_owned()),
            model_id: made.card.provenance().model_id.clone(),
            run_id: Some(cx.run_id().to_owned()),
            blend: config.blend,
            created_at_micros: self.clock.now_micros(),
            standing: Standing::of(status),
        };
        let model_card = canonical_json(model_card);
        self.store
            .enter(&version, Some(&model_card))
            .await
            .map_err(|error| match error {
                ChangeError::Unaccounted { .. } => {
                    TaskError::fatal("AUDIT_LOG_BROKEN", error.to_string())
                }
                error => TaskError::transient(
                    "STORE_UNAVAILABLE",
                    "the draft could not be entered among the scorecards",
                )
                .with_source(error),
            })
    }
}

fn log(cx: &TaskContext, made: &Draft) {
    let named = |wanted: fn(GateStatus) -> bool| {
        let gates = made
            .report
            .gates
            .iter()
            .filter(|gate| wanted(gate.status))
            .map(|gate| gate.gate.name());
        gates.collect::<Vec<_>>().join(", ")
    };
    cx.info(format!(
        "draft {}: passed {}",
        made.card.version(),
        named(GateStatus::passes)
    ));
    let against = named(|status| !status.passes());
    if !against.is_empty() {
        cx.warning(format!("the draft cannot be activated: {against}"));
    }
    if let Some(why) = &made.missing_link {
        cx.warning(format!("the draft gives no probability of default: {why}"));
    }
}

fn metadata(name: &str, made: &Draft) -> Metadata {
    let gates: Metadata = made
        .report
        .gates
        .iter()
        .map(|gate| (gate.gate.name().to_owned(), json!(gate.status)))
        .collect();
    Metadata::from_iter([
        ("draft_version".to_owned(), json!(name)),
        ("status".to_owned(), json!(made.report.verdict)),
        ("activatable".to_owned(), json!(made.report.activatable)),
        ("gates".to_owned(), json!(gates)),
    ])
}
