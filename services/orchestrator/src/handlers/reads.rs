//! Methods that only read.

use kycc_domain::ids::AssetKey;
use kycc_proto::orchestrator::v1 as api;
use kycc_rpc::{ApiError, page_size, page_token, read_page_token};

use super::{Api, failures};
use crate::store::RunFilter;
use crate::wire;

const RUNS: (usize, usize) = (50, 500);
const EVENTS: (usize, usize) = (500, 5_000);
const MATERIALIZATIONS: (usize, usize) = (50, 100);
const LATEST: usize = 100;

/// A page and one more, to know whether another follows.
fn with_lookahead(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX - 1) + 1
}

impl Api {
    pub(super) async fn list_runs(
        &self,
        request: api::ListRunsRequest,
    ) -> Result<api::ListRunsResponse, ApiError> {
        let size = page_size(request.page_size, RUNS.0, RUNS.1)?;
        let before = read_page_token(&request.page_token)?
            .map(|cursor| failures::run_id(&cursor))
            .transpose()?;
        let filter = RunFilter {
            status: wire::run_status_from_wire(request.status()),
            job: request.job,
            batch: request.batch_id,
        };
        let limit = with_lookahead(size);
        let found = self.store.runs(&filter, before.as_ref(), limit).await;
        let mut runs = found.map_err(failures::store)?;
        let more = runs.len() > size;
        runs.truncate(size);
        let last = runs.last().map(|run| page_token(run.state.run_id.as_str()));
        Ok(api::ListRunsResponse {
            runs: runs.iter().map(wire::run_to_wire).collect(),
            next_page_token: last.filter(|_| more).unwrap_or_default(),
        })
    }

    pub(super) async fn list_events(
        &self,
        request: api::ListRunEventsRequest,
    ) -> Result<api::ListRunEventsResponse, ApiError> {
        let run_id = self.existing(&request.run_id).await?.state.run_id;
        let size = page_size(request.page_size, EVENTS.0, EVENTS.1)?;
        let limit = u32::try_from(size).unwrap_or(u32::MAX);
        let found = self
            .store
            .events(&run_id, request.after_sequence, limit)
            .await;
        let events = found.map_err(failures::store)?;
        Ok(api::ListRunEventsResponse {
            events: events.iter().map(wire::event_to_wire).collect(),
        })
    }

    pub(super) async fn get_asset(&self, key: &str) -> Result<api::GetAssetResponse, ApiError> {
        let definitions = self.catalogue.current();
        let asset = definitions
            .asset(key)
            .ok_or_else(|| ApiError::not_found("asset", key))?;
        let latest = self.store.current(&asset.key, None).await;
        let latest = latest.map_err(failures::store)?;
        Ok(api::GetAssetResponse {
            asset: Some(wire::asset_to_wire(asset)),
            latest: latest
                .iter()
                .take(LATEST)
                .map(wire::materialization_to_wire)
                .collect(),
        })
    }

    pub(super) async fn get_materialization(
        &self,
        request: api::GetMaterializationRequest,
    ) -> Result<api::GetMaterializationResponse, ApiError> {
        let asset = failures::asset_key("asset", &request.asset)?;
        let batch = failures::batch_filter(&request.batch_id)?;
        let current = self.store.current(&asset, batch.as_ref()).await;
        let current = current.map_err(failures::store)?;
        let newest = current.first().ok_or_else(|| {
            let of = match &batch {
                Some(batch) => format!("{asset} of batch {batch}"),
                None => asset.to_string(),
            };
            ApiError::not_found_yet("materialization", of, self.how_to_make(&asset))
        })?;
        Ok(api::GetMaterializationResponse {
            materialization: Some(wire::materialization_to_wire(newest)),
        })
    }

    /// The jobs that make an asset, in the order of the file.
    fn how_to_make(&self, asset: &AssetKey) -> String {
        let definitions = self.catalogue.current();
        let jobs = definitions.jobs.iter();
        let jobs: Vec<_> = jobs
            .filter(|job| job.assets.contains(asset))
            .map(|job| job.name.as_str())
            .collect();
        match jobs.as_slice() {
            [] if definitions.asset(asset.as_str()).is_none() => {
                "no asset has that name; `kycc asset list` shows them".to_owned()
            }
            [] => format!("no job makes it; `kycc asset materialize {asset}` does"),
            jobs => format!("run {} for it", jobs.join(" or ")),
        }
    }

    pub(super) async fn list_materializations(
        &self,
        request: api::ListMaterializationsRequest,
    ) -> Result<api::ListMaterializationsResponse, ApiError> {
        let asset = failures::asset_key("asset", &request.asset)?;
        let batch = failures::batch_filter(&request.batch_id)?;
        let size = page_size(request.page_size, MATERIALIZATIONS.0, MATERIALIZATIONS.1)?;
        let before = read_page_token(&request.page_token)?;
        let found = self
            .store
            .materializations(
                &asset,
                batch.as_ref(),
                before.as_deref(),
                with_lookahead(size),
            )
            .await;
        let mut found = found.map_err(failures::store)?;
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().map(|made| page_token(&made.id));
        Ok(api::ListMaterializationsResponse {
            materializations: found.iter().map(wire::materialization_to_wire).collect(),
            next_page_token: last.filter(|_| more).unwrap_or_default(),
        })
    }

    pub(super) fn jobs(&self) -> api::ListJobsResponse {
        let definitions = self.catalogue.current();
        api::ListJobsResponse {
            location_name: definitions.location_name.clone(),
            definitions_hash: definitions.hash(),
            jobs: definitions.jobs.iter().map(wire::job_to_wire).collect(),
        }
    }

    pub(super) fn assets(&self) -> api::ListAssetsResponse {
        let definitions = self.catalogue.current();
        api::ListAssetsResponse {
            assets: definitions.assets.iter().map(wire::asset_to_wire).collect(),
        }
    }
}
