//! `ListImprovements`: the smallest single changes that lift a party, or features that belong to none, to a better band.

use std::sync::Arc;

use kycc_domain::card::Scorecard;
use kycc_domain::catalogue::FeatureVector;
use kycc_domain::improvement::{self as core, ImprovementError, Improvements};
use kycc_domain::rules::RuleSet;
use kycc_proto::scoring::v1::{Improvement, ListImprovementsRequest, ListImprovementsResponse};
use kycc_rpc::ApiError;
use tonic::Status;

use super::answers::band_names;
use super::columns::FeatureColumns;
use super::service::Scoring;
use super::{given, off_thread::off_thread};

/// Who asks to be lifted, and who decides.
struct Subject {
    card: Scorecard,
    rules: Arc<RuleSet>,
    features: FeatureVector,
}

pub(super) async fn improvements(
    scoring: &Scoring,
    request: ListImprovementsRequest,
) -> Result<ListImprovementsResponse, Status> {
    let target = request.target_band.clone();
    let subject = subject(scoring, request).await?;
    // Trying a change means deciding the party anew, some thousands of times where rules are many.
    off_thread(move |_| {
        let wanted = Some(target.as_str()).filter(|band| !band.is_empty());
        let Subject {
            card,
            rules,
            features,
        } = subject;
        let found = core::improvements(&card, &rules, &features, wanted)
            .map_err(|error| refused(&error, &card))?;
        Ok(ListImprovementsResponse {
            scorecard_version: card.version().to_owned(),
            ..answer(found)
        })
    })
    .await
}

async fn subject(scoring: &Scoring, request: ListImprovementsRequest) -> Result<Subject, Status> {
    match (request.party_id.is_empty(), request.features.is_empty()) {
        (true, true) => {
            let wanted = "must name a party, unless features are given";
            Err(ApiError::invalid("party_id", wanted).into())
        }
        (false, false) => {
            let wanted = "must not be given beside a party, which has its own";
            Err(ApiError::invalid("features", wanted).into())
        }
        (false, true) => of_party(scoring, &request).await,
        (true, false) => {
            let features = given::features(&request.features)?;
            if !request.batch_id.is_empty() {
                let wanted = "must not be given beside features, which belong to no batch";
                return Err(ApiError::invalid("batch_id", wanted).into());
            }
            let ready = scoring.cards.get(&request.scorecard_version).await?;
            Ok(Subject {
                card: ready.card.card.clone(),
                rules: Arc::clone(&ready.rules),
                features,
            })
        }
    }
}

async fn of_party(scoring: &Scoring, request: &ListImprovementsRequest) -> Result<Subject, Status> {
    if !request.scorecard_version.is_empty() {
        let wanted = "must not be given beside a party, whom the card of its batch decides";
        return Err(ApiError::invalid("scorecard_version", wanted).into());
    }
    let scores = scoring.published.current(&request.batch_id).await?;
    let table = scoring.published.features(&scores).await?;
    let at = table.row_of(&request.party_id).ok_or_else(|| {
        ApiError::not_found(
            format!("party of batch {}", scores.batch),
            &request.party_id,
        )
    })?;
    let columns = table.prepared(FeatureColumns::of);
    Ok(Subject {
        card: scores.card.clone(),
        rules: Arc::new(scores.rules()?),
        features: columns.vector(at),
    })
}

fn answer(found: Improvements) -> ListImprovementsResponse {
    let (target_band, target_score) = match found.target {
        Some(target) => (target.band, target.min),
        None => Default::default(),
    };
    let improvements = found.factors.into_iter().map(|factor| Improvement {
        feature: factor.feature.to_owned(),
        current_value: factor.current,
        needed_value: factor.needed,
        points_gained: factor.points_gained,
        final_score: factor.final_score,
        band: factor.band,
        reachable: factor.reachable,
        effort: factor.change,
        actionable: factor.actionable,
    });
    ListImprovementsResponse {
        final_score: found.final_score,
        band: found.band,
        target_band,
        target_score,
        improvements: improvements.collect(),
        ..ListImprovementsResponse::default()
    }
}

fn refused(error: &ImprovementError, card: &Scorecard) -> Status {
    let known = || band_names(card.bands());
    match error {
        ImprovementError::UnknownBand { band } => {
            let text = format!("{band:?} is not a band of the card; there are {}", known());
            ApiError::invalid("target_band", text).into()
        }
        ImprovementError::NotBetter { band, current } => {
            let text = format!(
                "{band:?} is no better than the party's own, {current:?}; the bands, best first, are {}",
                known()
            );
            ApiError::invalid("target_band", text).into()
        }
        error => ApiError::precondition(error.reason(), error.to_string()).into(),
    }
}
