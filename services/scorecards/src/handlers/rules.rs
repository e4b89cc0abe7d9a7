//! `kycc.scorecards.v1.RuleService`: versions of the decision rules, and their life.

mod trial;
mod wire;

use std::sync::Arc;

use kycc_domain::rules::RuleSet;
use kycc_lake::Lake;
use kycc_proto::scorecards::v1::rule_service_server::RuleService;
use kycc_proto::scorecards::v1::{
    ActivateRuleSetRequest, ActivateRuleSetResponse, ApproveRuleSetRequest, ApproveRuleSetResponse,
    DecisionRule, GetRuleSetRequest, GetRuleSetResponse, ListRuleSetsRequest, ListRuleSetsResponse,
    ProposeRuleSetRequest, ProposeRuleSetResponse, RuleViolation, TestRulesRequest,
    TestRulesResponse, ValidateRulesRequest, ValidateRulesResponse,
};
use kycc_rpc::{
    ApiError, FieldViolation, check_request_id, page_size, page_token, principal, read_page_token,
};
use kycc_runtime::{Changed, Clock, store_error};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::changes::failed;
use crate::core::rule_sets::{Caller, Proposal, RuleWish};
use crate::store::RuleStore;

const PAGE: (usize, usize) = (20, 200);
/// Parties shown of a test.
const SAMPLES: (usize, usize) = (20, 200);

pub(crate) struct Rules {
    pub(crate) store: Arc<dyn RuleStore>,
    pub(crate) clock: Arc<dyn Clock>,
    /// To the orchestrator, which knows the scores of a batch.
    pub(crate) channel: Channel,
    pub(crate) lake: Lake,
    /// Where other modules of this process see that rules have changed.
    pub(crate) changed: Changed,
    /// Whether callers are known by more than the machine that they call from.
    pub(crate) identity_provider: bool,
}

impl Rules {
    fn caller(
        &self,
        principal: String,
        reason: &str,
        request_id: String,
    ) -> Result<Caller, ApiError> {
        check_request_id(&request_id)?;
        Ok(Caller {
            principal,
            reason: reason.trim().to_owned(),
            request_id,
            trace_id: kycc_telemetry::current_trace_id(),
            at_micros: self.clock.now_micros(),
        })
    }

    async fn change(
        &self,
        version: u64,
        wish: RuleWish,
        caller: Caller,
    ) -> Result<Option<kycc_proto::scorecards::v1::RuleSet>, ApiError> {
        let version = numbered(version)?;
        let under_way = self.changed.under_way();
        let changed = self.store.change_rules(version, wish, &caller).await;
        // Also after an error: the change may have been made.
        self.changed.raise();
        drop(under_way);
        let changed = changed.map_err(|error| failed(&error))?;
        wire::rule_set(&changed).map(Some)
    }
}

fn numbered(version: u64) -> Result<i64, ApiError> {
    match i64::try_from(version) {
        Ok(version) if version > 0 => Ok(version),
        _ => Err(ApiError::invalid("version", "names a rule set, from 1")),
    }
}

/// The set, or everything that is wrong with it.
fn compiled(rules: &[DecisionRule]) -> Result<RuleSet, Vec<RuleViolation>> {
    let mut violations = Vec::new();
    let mut read = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        match wire::rule(rule) {
            None => violations.push(wire::no_action(index)),
            Some(rule) => {
                if let Err(error) = RuleSet::compile(std::slice::from_ref(&rule)) {
                    violations.push(wire::violation(&error, Some(index)));
                }
                read.push(rule);
            }
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    // Each is good by itself; what is left is wrong with all of them together.
    RuleSet::compile(&read).map_err(|error| vec![wire::violation(&error, None)])
}

fn invalid(violations: Vec<RuleViolation>) -> ApiError {
    ApiError::Invalid {
        violations: violations
            .into_iter()
            .map(|found| FieldViolation {
                field: found.field,
                description: found.description,
            })
            .collect(),
    }
}

#[tonic::async_trait]
impl RuleService for Rules {
    async fn list_rule_sets(
        &self,
        request: Request<ListRuleSetsRequest>,
    ) -> Result<Response<ListRuleSetsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, PAGE.0, PAGE.1)?;
        let before = match read_page_token(&request.page_token)? {
            None => i64::MAX,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| ApiError::invalid("page_token", "is not a token of this list"))?,
        };
        let limit = u32::try_from(size + 1).unwrap_or(u32::MAX);
        let found = self.store.list_rules(before, limit).await;
        let mut found = found.map_err(|error| store_error(&error))?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| page_token(&last.version.to_string()));
        let rule_sets = found.iter().map(wire::rule_set);
        Ok(Response::new(ListRuleSetsResponse {
            rule_sets: rule_sets.collect::<Result<_, _>>()?,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn get_rule_set(
        &self,
        request: Request<GetRuleSetRequest>,
    ) -> Result<Response<GetRuleSetResponse>, Status> {
        let version = request.into_inner().version;
        let found = match version {
            0 => self.store.active_rules().await,
            version => self.store.rules(numbered(version)?).await,
        };
        let found = found.map_err(|error| store_error(&error))?;
        let found = found.ok_or_else(|| ApiError::not_found("rule set", version.to_string()))?;
        Ok(Response::new(GetRuleSetResponse {
            rule_set: Some(wire::rule_set(&found)?),
        }))
    }

    async fn validate_rules(
        &self,
        request: Request<ValidateRulesRequest>,
    ) -> Result<Response<ValidateRulesResponse>, Status> {
        let answer = match compiled(&request.into_inner().rules) {
            Ok(rules) => ValidateRulesResponse {
                violations: Vec::new(),
                hash: rules.digest().to_string(),
            },
            Err(violations) => ValidateRulesResponse {
                violations,
                hash: String::new(),
            },
        };
        Ok(Response::new(answer))
    }

    async fn test_rules(
        &self,
        request: Request<TestRulesRequest>,
    ) -> Result<Response<TestRulesResponse>, Status> {
        let request = request.into_inner();
        let then = compiled(&request.rules).map_err(invalid)?;
        let samples = match usize::try_from(request.sample_size) {
            Ok(0) => SAMPLES.0,
            Ok(wanted) => wanted.min(SAMPLES.1),
            Err(_) => return Err(ApiError::invalid("sample_size", "must not be negative").into()),
        };
        let active = self.store.active_rules().await;
        let active = active.map_err(|error| store_error(&error))?;
        let active = active.ok_or_else(|| ApiError::not_found("rule set", "active"))?;
        let scored = trial::scored(&self.channel, &self.lake, &request.batch_id).await?;
        let worked_out =
            tokio::task::spawn_blocking(move || trial::run(&scored, &active, &then, samples)).await;
        let answer = worked_out.map_err(|error| ApiError::internal(&error))??;
        Ok(Response::new(answer))
    }

    async fn propose_rule_set(
        &self,
        request: Request<ProposeRuleSetRequest>,
    ) -> Result<Response<ProposeRuleSetResponse>, Status> {
        let by = principal(&request).to_string();
        let request = request.into_inner();
        let rules = compiled(&request.rules).map_err(invalid)?;
        let proposal = Proposal {
            rules: rules.rules().to_vec(),
            hash: rules.digest().to_string(),
            caller: self.caller(by, &request.reason, request.request_id)?,
        };
        let entered = self.store.propose_rules(&proposal).await;
        let entered = entered.map_err(|error| failed(&error))?;
        Ok(Response::new(ProposeRuleSetResponse {
            rule_set: Some(wire::rule_set(&entered)?),
        }))
    }

    async fn approve_rule_set(
        &self,
        request: Request<ApproveRuleSetRequest>,
    ) -> Result<Response<ApproveRuleSetResponse>, Status> {
        let by = principal(&request).to_string();
        let request = request.into_inner();
        let wish = RuleWish::Approve {
            allow_self_approval: request.allow_self_approval,
            identity_provider: self.identity_provider,
        };
        let caller = self.caller(by, &request.reason, request.request_id)?;
        let rule_set = self.change(request.version, wish, caller).await?;
        Ok(Response::new(ApproveRuleSetResponse { rule_set }))
    }

    async fn activate_rule_set(
        &self,
        request: Request<ActivateRuleSetRequest>,
    ) -> Result<Response<ActivateRuleSetResponse>, Status> {
        let by = principal(&request).to_string();
        let request = request.into_inner();
        let caller = self.caller(by, &request.reason, request.request_id)?;
        let rule_set = self
            .change(request.version, RuleWish::Activate, caller)
            .await?;
        Ok(Response::new(ActivateRuleSetResponse { rule_set }))
    }
}

#[cfg(test)]
mod tests {
    use kycc_proto::scorecards::v1::decision_rule::Action;

    use super::*;

    fn rule(name: &str, condition: &str, action: Option<Action>) -> DecisionRule {
        DecisionRule {
            name: name.into(),
            priority: 1,
            condition: condition.into(),
            action,
        }
    }

    fn faults(rules: &[DecisionRule]) -> Vec<(String, String)> {
        let found = compiled(rules).err().unwrap_or_default();
        found
            .into_iter()
            .map(|found| (found.field, found.reason))
            .collect()
    }

    #[test]
    fn every_faulty_rule_is_told_by_its_place_and_field() {
        let add = Some(Action::AdjustScore(1.0));
        let found = faults(&[
            rule("good", "score > 500.0", add.clone()),
            rule("typo", "shoe_size > 1.0", add.clone()),
            rule("", "true", add.clone()),
            rule("cut", "score >", add.clone()),
            rule("idle", "true", None),
            rule("half", "true", Some(Action::SetMaxScore(500.5))),
            rule("blank", "true", Some(Action::FlagForReview(" ".into()))),
        ]);
        let expected = [
            ("rules[1].condition", "RULE_UNKNOWN_VARIABLE"),
            ("rules[2].name", "RULE_NAME"),
            ("rules[3].condition", "RULE_DOES_NOT_COMPILE"),
            ("rules[4].action", "RULE_ACTION"),
            ("rules[5].value", "RULE_VALUE"),
            ("rules[6].flag_for_review", "RULE_FLAG"),
        ];
        let expected = expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()));
        assert_eq!(found, expected);
        let twice = faults(&[rule("a", "true", add.clone()), rule("a", "false", add)]);
        assert_eq!(twice, [("rules".to_owned(), "DUPLICATE_RULE".to_owned())]);
        assert_eq!(faults(&[]), []);
    }
}
