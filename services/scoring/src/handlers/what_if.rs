//! Scores of feature vectors that belong to no batch.

use kycc_domain::catalogue::FeatureVector;
use kycc_proto::scoring::v1::{
    BatchScoreFeaturesRequest, BatchScoreFeaturesResponse, Score, ScoreFeaturesRequest,
    ScoreFeaturesResponse, Vector,
};
use kycc_rpc::{ApiError, FieldViolation};
use tonic::Status;

use super::cards::{Cards, Ready};
use super::mask::Mask;
use super::{answers, given};

const MOST_VECTORS: usize = 1_000;

pub(super) async fn one(
    cards: &Cards,
    request: ScoreFeaturesRequest,
) -> Result<ScoreFeaturesResponse, Status> {
    let mask = Mask::read(request.read_mask.as_ref(), Mask::ALL)?;
    let features = given::features(&request.features)?;
    let ready = cards.get(&request.scorecard_version).await?;
    Ok(ScoreFeaturesResponse {
        score: Some(scored(&ready, &features, mask)?),
    })
}

pub(super) async fn many(
    cards: &Cards,
    request: BatchScoreFeaturesRequest,
) -> Result<BatchScoreFeaturesResponse, Status> {
    let mask = Mask::read(request.read_mask.as_ref(), Mask::LISTED)?;
    let wanted = request.vectors.len();
    if !(1..=MOST_VECTORS).contains(&wanted) {
        let text = format!("{wanted} vectors, expected 1 to {MOST_VECTORS}");
        return Err(ApiError::invalid("vectors", text).into());
    }
    let vectors = all(&request.vectors)?;
    let ready = cards.get(&request.scorecard_version).await?;
    let scores = request.vectors.into_iter().zip(&vectors);
    let scores = scores.map(|(given, features)| {
        Ok(Score {
            party_id: given.key,
            ..scored(&ready, features, mask)?
        })
    });
    Ok(BatchScoreFeaturesResponse {
        scores: scores.collect::<Result<_, ApiError>>()?,
        scorecard_version: ready.card.card.version().to_owned(),
    })
}

/// Every vector, or everything that is wrong with any of them.
fn all(given: &[Vector]) -> Result<Vec<FeatureVector>, ApiError> {
    let (mut vectors, mut faults) = (Vec::with_capacity(given.len()), Vec::new());
    for (at, vector) in given.iter().enumerate() {
        match given::features(&vector.features) {
            Ok(features) => vectors.push(features),
            Err(ApiError::Invalid { violations }) => {
                faults.extend(violations.into_iter().map(|fault| FieldViolation {
                    field: format!("vectors[{at}].{}", fault.field),
                    ..fault
                }));
            }
            Err(other) => return Err(other),
        }
    }
    if faults.is_empty() {
        return Ok(vectors);
    }
    Err(ApiError::Invalid { violations: faults })
}

fn scored(ready: &Ready, features: &FeatureVector, mask: Mask) -> Result<Score, ApiError> {
    answers::what_if(ready, features, mask).map_err(|error| ApiError::internal(&error))
}
