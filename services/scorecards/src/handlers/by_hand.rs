//! Cards that a person wrote: checked, and entered as drafts.

use kycc_domain::card::ScoringContent;
use kycc_proto::scorecards::v1::{
    CardViolation, ProposeVersionRequest, ScorecardVersion, ValidateCardResponse,
};
use kycc_rpc::{ApiError, FieldViolation};
use kycc_runtime::store_error;

use super::answers;
use super::changes::failed;
use super::service::Scorecards;
use crate::core::by_hand::{self, Violation};
use crate::core::life::says_something;
use crate::core::standing::Standing;
use crate::core::version::{Status, Version};

const MOST_CARD_BYTES: usize = 1 << 20;

fn read(card_json: &str) -> Result<ScoringContent, Vec<Violation>> {
    if card_json.len() > MOST_CARD_BYTES {
        return Err(vec![Violation {
            field: String::new(),
            reason: "CARD_TOO_LARGE",
            description: format!("takes at most {MOST_CARD_BYTES} bytes"),
        }]);
    }
    by_hand::content(card_json)
}

fn field(of: &Violation) -> String {
    match of.field.as_str() {
        "" => "card_json".to_owned(),
        field => format!("card_json.{field}"),
    }
}

pub(super) fn validate(card_json: &str) -> Result<ValidateCardResponse, ApiError> {
    Ok(match read(card_json) {
        Ok(content) => ValidateCardResponse {
            violations: Vec::new(),
            hash: by_hand::hash(&content)
                .map_err(|error| ApiError::internal(&error))?
                .to_string(),
        },
        Err(violations) => ValidateCardResponse {
            violations: violations
                .into_iter()
                .map(|found| CardViolation {
                    field: field(&found),
                    reason: found.reason.to_owned(),
                    description: found.description,
                })
                .collect(),
            hash: String::new(),
        },
    })
}

impl Scorecards {
    pub(super) async fn propose(
        &self,
        request: ProposeVersionRequest,
        author: String,
    ) -> Result<ScorecardVersion, ApiError> {
        let content = read(&request.card_json).map_err(|violations| ApiError::Invalid {
            violations: violations
                .into_iter()
                .map(|found| FieldViolation {
                    field: field(&found),
                    description: found.description,
                })
                .collect(),
        })?;
        let reason = request.reason.trim();
        if !says_something(reason) {
            let wanted = "takes 3 to 4,000 characters; say why the card is proposed";
            return Err(ApiError::invalid("reason", wanted));
        }
        let parent = self.find(&request.parent_version).await?;
        let card = by_hand::named(content, &parent.card, &author)
            .map_err(|error| ApiError::internal(&error))?;
        let version = Version {
            card,
            gates: None,
            missing_link: None,
            author: author.clone(),
            parent: Some(parent.name().to_owned()),
            model_id: None,
            run_id: None,
            blend: 0.0,
            created_at_micros: self.clock.now_micros(),
            standing: Standing {
                note: Some(reason.to_owned()),
                ..Standing::of(Status::Draft)
            },
        };
        let name = self.store.enter(&version, None).await;
        let name = name.map_err(|error| failed(&error))?;
        let entered = self.store.get(&name).await;
        let entered = entered
            .map_err(|error| store_error(&error))?
            .ok_or_else(|| ApiError::not_found("scorecard version", &name))?;
        if entered.author != author || entered.model_id.is_some() {
            return Err(ApiError::already_exists("scorecard version", name));
        }
        answers::version(&entered)
    }
}
