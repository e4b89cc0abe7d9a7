//! One party's features across batches: as of an instant, through time, and side by side.

use super::FeatureLookup;
use crate::handlers::columns::Columns;
use crate::handlers::current::{CurrentFeatures, Features, Placed};
use crate::handlers::vectors::vector;
use kycc_domain::catalogue::{Direction, FEATURES, FeatureSpec};
use kycc_proto::features::v1::{
    CompareFeaturesRequest, CompareFeaturesResponse, FeatureDifference, GetFeaturesResponse,
    ListFeatureHistoryRequest, ListFeatureHistoryResponse,
};
use kycc_rpc::{ApiError, page_size, position_token, read_position_token, timestamp};
use prost_types::Timestamp;
use std::cmp::Reverse;

const DEFAULT_PAGE: usize = 20;
const MAX_PAGE: usize = 100;
/// Batches that one call looks into.
const MOST_BATCHES: usize = 200;

impl<C: CurrentFeatures> FeatureLookup<C> {
    /// Of each party the vector of the newest batch that is not after the instant.
    pub(super) async fn as_of(
        &self,
        party_ids: &[String],
        instant: Timestamp,
    ) -> Result<GetFeaturesResponse, ApiError> {
        let instant = micros(instant)?;
        let mut found = vec![None; party_ids.len()];
        let batches = self.held.in_time().await?.into_iter();
        for placed in batches
            .filter(|one| one.as_of <= instant)
            .take(MOST_BATCHES)
        {
            if found.iter().all(Option::is_some) {
                break;
            }
            let features = self.held.read(placed.version).await?;
            for (found, party) in found.iter_mut().zip(party_ids) {
                if found.is_none() {
                    let row = features.table.row_of(party);
                    *found = row.map(|row| vector(&features, row));
                }
            }
        }
        let mut answer = GetFeaturesResponse::default();
        for (found, party) in found.into_iter().zip(party_ids) {
            match found {
                Some(vector) => answer.vectors.push(vector),
                None => answer.missing_party_ids.push(party.clone()),
            }
        }
        Ok(answer)
    }

    pub(super) async fn history(
        &self,
        request: &ListFeatureHistoryRequest,
    ) -> Result<ListFeatureHistoryResponse, ApiError> {
        named(&request.party_id)?;
        let size = page_size(request.page_size, DEFAULT_PAGE, MAX_PAGE)?;
        let after = read_position_token(&request.page_token)?;
        let mut batches = self.held.in_time().await?;
        if let Some((as_of, batch)) = &after {
            batches.retain(|one| {
                (Reverse(one.as_of), one.version.batch.as_str()) > (Reverse(*as_of), batch.as_str())
            });
        }
        let mut answer = ListFeatureHistoryResponse::default();
        let mut batches = batches.into_iter().peekable();
        let mut looked = 0;
        while let Some(Placed { as_of, version }) = batches.next() {
            let token = position_token(as_of, version.batch.as_str());
            let features = self.held.read(version).await?;
            let row = features.table.row_of(&request.party_id);
            answer.vectors.extend(row.map(|row| vector(&features, row)));
            looked += 1;
            if batches.peek().is_some() && (answer.vectors.len() == size || looked == MOST_BATCHES)
            {
                answer.next_page_token = token;
                break;
            }
        }
        Ok(answer)
    }

    pub(super) async fn compare(
        &self,
        request: &CompareFeaturesRequest,
    ) -> Result<CompareFeaturesResponse, ApiError> {
        named(&request.party_id)?;
        let features = self.held.of("batch_id", &request.batch_id).await?;
        let base = match request.base_batch_id.as_str() {
            "" => self.before(&features).await?,
            batch => self.held.of("base_batch_id", batch).await?,
        };
        let row = |features: &Features| {
            let row = features.table.row_of(&request.party_id).ok_or_else(|| {
                let of = format!("party of batch {}", features.version.batch);
                ApiError::not_found(of, &request.party_id)
            })?;
            Ok::<_, ApiError>(features.table.prepared(Columns::of).row(row))
        };
        let pairs = row(&base)?.into_iter().zip(row(&features)?);
        let differences = FEATURES.iter().zip(pairs);
        Ok(CompareFeaturesResponse {
            party_id: request.party_id.clone(),
            batch_id: features.version.batch.to_string(),
            base_batch_id: base.version.batch.to_string(),
            as_of_time: features.as_of.map(timestamp),
            base_as_of_time: base.as_of.map(timestamp),
            differences: differences
                .map(|(spec, (old, new))| difference(spec, old, new))
                .collect(),
        })
    }

    async fn before(&self, features: &Features) -> Result<Features, ApiError> {
        let batch = &features.version.batch;
        let earlier = self.held.in_time().await?.into_iter().find(|one| {
            features.as_of.is_some_and(|as_of| one.as_of < as_of) && one.version.batch != *batch
        });
        let earlier = earlier.ok_or_else(|| {
            let message =
                format!("no batch has an earlier as-of than {batch}; name one to compare with");
            ApiError::precondition("NO_EARLIER_BATCH", message)
        })?;
        self.held.read(earlier.version).await
    }
}

fn named(party_id: &str) -> Result<(), ApiError> {
    match party_id {
        "" => Err(ApiError::invalid("party_id", "must name a party")),
        _ => Ok(()),
    }
}

fn difference(spec: &FeatureSpec, old: (f64, f64), new: (f64, f64)) -> FeatureDifference {
    let difference = new.0 - old.0;
    let up = i32::from(difference > 0.0) - i32::from(difference < 0.0);
    FeatureDifference {
        name: spec.name.to_owned(),
        unit: spec.unit.to_owned(),
        base_value: old.0,
        value: new.0,
        difference,
        improvement: match spec.direction {
            Direction::HigherIsBetter => up,
            Direction::LowerIsBetter => -up,
        },
        base_confidence: old.1,
        confidence: new.1,
    }
}

fn micros(instant: Timestamp) -> Result<i64, ApiError> {
    let whole = instant.seconds.checked_mul(1_000_000);
    let micros = whole.and_then(|whole| whole.checked_add(i64::from(instant.nanos / 1_000)));
    micros
        .filter(|_| (0..1_000_000_000).contains(&instant.nanos))
        .ok_or_else(|| ApiError::invalid("as_of_time", "is not a time"))
}
