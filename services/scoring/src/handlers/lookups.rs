//! Published scores of parties by id.

use std::sync::Arc;

use kycc_lake::PartyTable;
use kycc_proto::scoring::v1::{
    BatchGetScoresRequest, BatchGetScoresResponse, GetScoreRequest, GetScoreResponse, Score,
};
use kycc_rpc::ApiError;
use tonic::Status;

use super::answers;
use super::columns::{FeatureColumns, ScoreColumns};
use super::mask::Mask;
use super::published::{BatchScores, PublishedScores};

const MOST_PARTIES: usize = 1_000;

/// A version's rows, with the features that they were made of where the mask wants them.
pub(super) struct Snapshot {
    pub(super) scores: Arc<BatchScores>,
    pub(super) table: Arc<PartyTable>,
    features: Option<Arc<PartyTable>>,
    mask: Mask,
}

impl Snapshot {
    pub(super) async fn open(
        published: &PublishedScores,
        scores: Arc<BatchScores>,
        mask: Mask,
    ) -> Result<Self, Status> {
        let table = published.rows(&scores).await?;
        let features = if mask.has(Mask::CONTRIBUTIONS) {
            Some(published.features(&scores).await?)
        } else {
            None
        };
        Ok(Self {
            scores,
            table,
            features,
            mask,
        })
    }

    pub(super) fn columns(&self) -> &ScoreColumns {
        self.table.prepared(ScoreColumns::of)
    }

    pub(super) fn parties(&self) -> usize {
        self.table.rows().num_rows()
    }

    pub(super) fn score(&self, at: usize) -> Score {
        let party = self.table.party(at);
        let features = self.features.as_deref().and_then(|table| {
            // The same parties in the same order, as a rule.
            let same = at < table.rows().num_rows() && table.party(at) == party;
            let row = if same { Some(at) } else { table.row_of(party) };
            Some((table.prepared(FeatureColumns::of), row?))
        });
        answers::published(&self.scores, self.columns(), at, party, features, self.mask)
    }
}

pub(super) async fn one(
    published: &PublishedScores,
    request: GetScoreRequest,
) -> Result<GetScoreResponse, Status> {
    if request.party_id.is_empty() {
        return Err(ApiError::invalid("party_id", "must name a party").into());
    }
    let mask = Mask::read(request.read_mask.as_ref(), Mask::ALL)?;
    let scores = published.current(&request.batch_id).await?;
    let snapshot = Snapshot::open(published, scores, mask).await?;
    let at = snapshot.table.row_of(&request.party_id).ok_or_else(|| {
        let of = format!("party of batch {}", snapshot.scores.batch);
        ApiError::not_found(of, &request.party_id)
    })?;
    Ok(GetScoreResponse {
        score: Some(snapshot.score(at)),
    })
}

pub(super) async fn many(
    published: &PublishedScores,
    request: BatchGetScoresRequest,
) -> Result<BatchGetScoresResponse, Status> {
    let wanted = request.party_ids.len();
    if !(1..=MOST_PARTIES).contains(&wanted) {
        let text = format!("{wanted} party ids, expected 1 to {MOST_PARTIES}");
        return Err(ApiError::invalid("party_ids", text).into());
    }
    if let Some(at) = request.party_ids.iter().position(String::is_empty) {
        return Err(ApiError::invalid(format!("party_ids[{at}]"), "must name a party").into());
    }
    let mask = Mask::read(request.read_mask.as_ref(), Mask::LISTED)?;
    let scores = published.current(&request.batch_id).await?;
    let snapshot = Snapshot::open(published, scores, mask).await?;
    let mut answer = BatchGetScoresResponse {
        batch_id: snapshot.scores.batch.clone(),
        ..BatchGetScoresResponse::default()
    };
    for party in request.party_ids {
        match snapshot.table.row_of(&party) {
            Some(at) => answer.scores.push(snapshot.score(at)),
            None => answer.missing_party_ids.push(party),
        }
    }
    Ok(answer)
}
