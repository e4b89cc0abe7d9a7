//! The least role for every method of the fleet: one table, one line each. A test holds it to the contracts.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Role;
use Effects::{Changes, Reads};
use Role::{Approver, Ingester, Operator, Service, Viewer};

/// Whether a call leaves anything changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effects {
    Reads,
    Changes,
}

/// Full name of a method (`kycc.scoring.v1.ScoringService/GetScore`), the least role, what it does.
pub type MethodRule = (&'static str, Role, Effects);

#[rustfmt::skip]
pub const METHODS: &[MethodRule] = &[
    ("kycc.audit.v1.AuditService/ListAuditEntries", Viewer, Reads),
    ("kycc.audit.v1.AuditService/ListAuditChains", Viewer, Reads),
    ("kycc.audit.v1.AuditService/VerifyAudit", Viewer, Reads),

    ("kycc.features.v1.FeatureService/GetFeatures", Viewer, Reads),
    ("kycc.features.v1.FeatureService/ListFeatures", Viewer, Reads),
    ("kycc.features.v1.FeatureService/ListFeatureHistory", Viewer, Reads),
    ("kycc.features.v1.FeatureService/CompareFeatures", Viewer, Reads),
    ("kycc.features.v1.FeatureService/ListFeatureDefinitions", Viewer, Reads),

    ("kycc.ingestion.v1.IngestionService/ImportBatch", Ingester, Changes),
    ("kycc.ingestion.v1.IngestionService/GetBatch", Viewer, Reads),
    ("kycc.ingestion.v1.IngestionService/ListBatches", Viewer, Reads),
    ("kycc.ingestion.v1.IngestionService/ListRejectedRecords", Viewer, Reads),
    ("kycc.ingestion.v1.IngestionService/CreateBatch", Ingester, Changes),
    ("kycc.ingestion.v1.IngestionService/UploadRecords", Ingester, Changes),
    ("kycc.ingestion.v1.IngestionService/CommitBatch", Ingester, Changes),
    ("kycc.ingestion.v1.IngestionService/AbortBatch", Ingester, Changes),
    ("kycc.ingestion.v1.IngestionService/GetUpload", Viewer, Reads),
    ("kycc.ingestion.v1.IngestionService/ListUploads", Viewer, Reads),
    ("kycc.ingestion.v1.IngestionService/ValidateBatch", Ingester, Reads),

    ("kycc.labels.v1.LabelService/RecordOutcomes", Ingester, Changes),
    ("kycc.labels.v1.LabelService/ListOutcomes", Viewer, Reads),
    ("kycc.labels.v1.LabelService/ListLabels", Viewer, Reads),
    ("kycc.labels.v1.LabelService/GetLabelStatistics", Viewer, Reads),

    ("kycc.models.v1.ModelService/GetModel", Viewer, Reads),
    ("kycc.models.v1.ModelService/ListModels", Viewer, Reads),
    ("kycc.models.v1.ModelService/GetCurves", Viewer, Reads),
    ("kycc.models.v1.ModelService/GetFactorBins", Viewer, Reads),
    ("kycc.models.v1.ModelService/CompareModels", Viewer, Reads),

    ("kycc.orchestrator.v1.OrchestratorService/LaunchRun", Operator, Changes),
    ("kycc.orchestrator.v1.OrchestratorService/GetRun", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ListRuns", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/WatchRun", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ListRunEvents", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/WatchEvents", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/GetRunQueue", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ListLanes", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/CancelRun", Operator, Changes),
    ("kycc.orchestrator.v1.OrchestratorService/RetryRun", Operator, Changes),
    ("kycc.orchestrator.v1.OrchestratorService/ListDeadLetters", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ReplayDeadLetter", Operator, Changes),
    ("kycc.orchestrator.v1.OrchestratorService/ListJobs", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ListAssets", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/GetAsset", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/GetLineage", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/GetMaterialization", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ListMaterializations", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/WatchMaterializations", Viewer, Reads),
    ("kycc.orchestrator.v1.OrchestratorService/ReloadDefinitions", Operator, Changes),

    ("kycc.scorecards.v1.RuleService/ListRuleSets", Viewer, Reads),
    ("kycc.scorecards.v1.RuleService/GetRuleSet", Viewer, Reads),
    ("kycc.scorecards.v1.RuleService/ValidateRules", Viewer, Reads),
    ("kycc.scorecards.v1.RuleService/TestRules", Viewer, Reads),
    ("kycc.scorecards.v1.RuleService/ProposeRuleSet", Operator, Changes),
    ("kycc.scorecards.v1.RuleService/ApproveRuleSet", Approver, Changes),
    ("kycc.scorecards.v1.RuleService/ActivateRuleSet", Approver, Changes),

    ("kycc.scorecards.v1.ScorecardService/ListVersions", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/GetVersion", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/CompareVersions", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/GetImpact", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/GetModelCard", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/ApproveVersion", Approver, Changes),
    ("kycc.scorecards.v1.ScorecardService/RejectVersion", Approver, Changes),
    ("kycc.scorecards.v1.ScorecardService/ActivateVersion", Approver, Changes),
    ("kycc.scorecards.v1.ScorecardService/RollBackVersion", Approver, Changes),
    ("kycc.scorecards.v1.ScorecardService/SetShadow", Approver, Changes),
    ("kycc.scorecards.v1.ScorecardService/ProposeVersion", Operator, Changes),
    ("kycc.scorecards.v1.ScorecardService/ValidateCard", Viewer, Reads),
    ("kycc.scorecards.v1.ScorecardService/WatchActiveVersion", Viewer, Reads),

    ("kycc.scoring.v1.ScoringService/ScoreFeatures", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/GetScore", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/BatchScoreFeatures", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/BatchGetScores", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/StreamScores", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/ListScoreHistory", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/ListBandTransitions", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/WatchScores", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/ListScores", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/GetStatistics", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/ListImprovements", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/GetDrift", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/BackTest", Viewer, Reads),
    ("kycc.scoring.v1.ScoringService/GetShadowReport", Viewer, Reads),

    ("kycc.work.v1.SourceService/Observe", Service, Reads),
];

/// What is asked of the caller of one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing, not even to be known: balancers and kubelets ask for health.
    Open,
    AtLeast(Role),
}

const HEALTH: &str = "grpc.health.v1.Health/";
const REFLECTION: &str = "grpc.reflection.";

static BY_NAME: LazyLock<HashMap<&'static str, Role>> = LazyLock::new(|| {
    METHODS
        .iter()
        .map(|(name, role, _)| (*name, *role))
        .collect()
});

/// By the path of the call. What nobody wrote a line for is the fleet's own, so that a forgotten line opens nothing.
pub(crate) fn rule(path: &str) -> Rule {
    let name = path.trim_start_matches('/');
    if let Some(role) = BY_NAME.get(name) {
        return Rule::AtLeast(*role);
    }
    if name.starts_with(HEALTH) {
        return Rule::Open;
    }
    Rule::AtLeast(match name.starts_with(REFLECTION) {
        true => Viewer,
        false => Service,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost_types::FileDescriptorSet;

    use super::*;

    fn of_the_contracts() -> BTreeSet<String> {
        let set = <FileDescriptorSet as prost::Message>::decode(kycc_proto::FILE_DESCRIPTOR_SET);
        let mut names = BTreeSet::new();
        for file in &set.unwrap().file {
            for service in file.service.iter() {
                for method in &service.method {
                    names.insert(format!(
                        "{}.{}/{}",
                        file.package(),
                        service.name(),
                        method.name()
                    ));
                }
            }
        }
        names
    }

    #[test]
    fn the_table_has_every_method_of_the_contracts_once_and_no_other() {
        let listed: Vec<String> = METHODS
            .iter()
            .map(|(name, ..)| (*name).to_owned())
            .collect();
        let distinct: BTreeSet<String> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), distinct.len(), "a method is listed twice");
        assert_eq!(distinct, of_the_contracts());
    }

    #[test]
    fn what_changes_something_needs_more_than_looking() {
        for (name, role, effects) in METHODS {
            let more = *role != Viewer && *role != Service;
            assert!(more || *effects == Reads, "{name}");
        }
    }

    #[test]
    fn health_is_open_reflection_is_for_viewers_and_the_rest_is_for_nobody() {
        assert_eq!(rule("/grpc.health.v1.Health/Check"), Rule::Open);
        for version in ["v1", "v1alpha"] {
            let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
            assert_eq!(rule(&path), Rule::AtLeast(Viewer));
        }
        assert_eq!(
            rule("/kycc.scoring.v1.ScoringService/Forgotten"),
            Rule::AtLeast(Service)
        );
        assert_eq!(
            rule("/kycc.scoring.v1.ScoringService/GetScore"),
            Rule::AtLeast(Viewer)
        );
    }
}
