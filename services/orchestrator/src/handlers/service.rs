//! `kycc.orchestrator.v1.OrchestratorService`, method by method.

use std::pin::Pin;

use futures::{Stream, TryStreamExt as _};
use kycc_proto::orchestrator::v1 as api;
use kycc_proto::orchestrator::v1::orchestrator_service_server::OrchestratorService;
use kycc_rpc::{ApiError, check_request_id, principal};
use tonic::{Request, Response, Status};

use super::deeds::Caller;
use super::forward::{Place, forwarded, told};
use super::{Api, deeds};
use crate::wire;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl OrchestratorService for Api {
    type WatchRunStream =
        Pin<Box<dyn Stream<Item = Result<api::WatchRunResponse, Status>> + Send + 'static>>;

    type WatchEventsStream =
        Pin<Box<dyn Stream<Item = Result<api::WatchEventsResponse, Status>> + Send + 'static>>;

    type WatchMaterializationsStream = Pin<
        Box<dyn Stream<Item = Result<api::WatchMaterializationsResponse, Status>> + Send + 'static>,
    >;

    async fn watch_materializations(
        &self,
        request: Request<api::WatchMaterializationsRequest>,
    ) -> Answer<Self::WatchMaterializationsStream> {
        let stream = self.watch_published(request.into_inner())?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn launch_run(
        &self,
        request: Request<api::LaunchRunRequest>,
    ) -> Answer<api::LaunchRunResponse> {
        if let Place::Leader(mut leader) = self.place(&request).await? {
            return leader.launch_run(forwarded(request)).await.map_err(told);
        }
        let by = principal(&request).to_string();
        let run = Box::pin(self.launch(request.into_inner(), by)).await?;
        Ok(Response::new(api::LaunchRunResponse {
            run: Some(wire::run_to_wire(&run)),
        }))
    }

    async fn get_run(&self, request: Request<api::GetRunRequest>) -> Answer<api::GetRunResponse> {
        let run = self.existing(&request.into_inner().run_id).await?;
        Ok(Response::new(api::GetRunResponse {
            run: Some(wire::run_to_wire(&run)),
        }))
    }

    async fn list_runs(
        &self,
        request: Request<api::ListRunsRequest>,
    ) -> Answer<api::ListRunsResponse> {
        Ok(Response::new(self.list_runs(request.into_inner()).await?))
    }

    async fn watch_run(
        &self,
        request: Request<api::WatchRunRequest>,
    ) -> Answer<Self::WatchRunStream> {
        let run = self.existing(&request.get_ref().run_id).await?;
        // What has ended is read anywhere, and a process that only reads shows what there is.
        if !run.state.status.is_terminal()
            && self.engine.moves_runs()
            && let Place::Leader(mut leader) = self.place(&request).await?
        {
            let answer = leader.watch_run(forwarded(request)).await.map_err(told)?;
            let stream = answer.into_inner().map_err(told);
            return Ok(Response::new(Box::pin(stream)));
        }
        let request = request.into_inner();
        let stream = self.watch(&request.run_id, request.after_sequence).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn list_run_events(
        &self,
        request: Request<api::ListRunEventsRequest>,
    ) -> Answer<api::ListRunEventsResponse> {
        Ok(Response::new(self.list_events(request.into_inner()).await?))
    }

    async fn watch_events(
        &self,
        request: Request<api::WatchEventsRequest>,
    ) -> Answer<Self::WatchEventsStream> {
        if self.engine.moves_runs()
            && let Place::Leader(mut leader) = self.place(&request).await?
        {
            let answer = leader
                .watch_events(forwarded(request))
                .await
                .map_err(told)?;
            let stream = answer.into_inner().map_err(told);
            return Ok(Response::new(Box::pin(stream)));
        }
        let stream = self.follow(request.into_inner()).await?;
        Ok(Response::new(Box::pin(stream)))
    }

    async fn cancel_run(
        &self,
        request: Request<api::CancelRunRequest>,
    ) -> Answer<api::CancelRunResponse> {
        let by = principal(&request).to_string();
        check_request_id(&request.get_ref().request_id)?;
        let run = self.existing(&request.get_ref().run_id).await?;
        if !run.state.status.is_terminal() {
            if let Place::Leader(mut leader) = self.place(&request).await? {
                return leader.cancel_run(forwarded(request)).await.map_err(told);
            }
            let caller = Caller {
                principal: by,
                request_id: request.get_ref().request_id.clone(),
            };
            let run_id = run.state.run_id.clone();
            let deed = deeds::of_cancel(run_id.as_str(), caller, self.clock.as_ref());
            if !self.engine.cancel(run_id, deed).await {
                let message = "the cancel could not be written; ask again";
                return Err(ApiError::unavailable("CANCEL_NOT_WRITTEN", message).into());
            }
        }
        let run = self.existing(run.state.run_id.as_str()).await?;
        Ok(Response::new(api::CancelRunResponse {
            run: Some(wire::run_to_wire(&run)),
        }))
    }

    async fn retry_run(
        &self,
        request: Request<api::RetryRunRequest>,
    ) -> Answer<api::RetryRunResponse> {
        if let Place::Leader(mut leader) = self.place(&request).await? {
            return leader.retry_run(forwarded(request)).await.map_err(told);
        }
        let by = principal(&request).to_string();
        let run = Box::pin(self.retry(request.into_inner(), by)).await?;
        Ok(Response::new(api::RetryRunResponse {
            run: Some(wire::run_to_wire(&run)),
        }))
    }

    async fn get_run_queue(
        &self,
        _: Request<api::GetRunQueueRequest>,
    ) -> Answer<api::GetRunQueueResponse> {
        Ok(Response::new(self.run_queue().await?))
    }

    async fn list_lanes(
        &self,
        _: Request<api::ListLanesRequest>,
    ) -> Answer<api::ListLanesResponse> {
        Ok(Response::new(self.lanes().await?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<api::ListDeadLettersRequest>,
    ) -> Answer<api::ListDeadLettersResponse> {
        Ok(Response::new(
            self.list_dead_letters(request.into_inner()).await?,
        ))
    }

    async fn replay_dead_letter(
        &self,
        request: Request<api::ReplayDeadLetterRequest>,
    ) -> Answer<api::ReplayDeadLetterResponse> {
        if let Place::Leader(mut leader) = self.place(&request).await? {
            return leader
                .replay_dead_letter(forwarded(request))
                .await
                .map_err(told);
        }
        let by = principal(&request).to_string();
        let run = Box::pin(self.replay(request.into_inner(), by)).await?;
        Ok(Response::new(api::ReplayDeadLetterResponse {
            run: Some(wire::run_to_wire(&run)),
        }))
    }

    async fn list_jobs(&self, _: Request<api::ListJobsRequest>) -> Answer<api::ListJobsResponse> {
        Ok(Response::new(self.jobs()))
    }

    async fn list_assets(
        &self,
        _: Request<api::ListAssetsRequest>,
    ) -> Answer<api::ListAssetsResponse> {
        Ok(Response::new(self.assets()))
    }

    async fn get_asset(
        &self,
        request: Request<api::GetAssetRequest>,
    ) -> Answer<api::GetAssetResponse> {
        Ok(Response::new(
            self.get_asset(&request.into_inner().key).await?,
        ))
    }

    async fn get_lineage(
        &self,
        request: Request<api::GetLineageRequest>,
    ) -> Answer<api::GetLineageResponse> {
        Ok(Response::new(self.lineage(request.into_inner()).await?))
    }

    async fn get_materialization(
        &self,
        request: Request<api::GetMaterializationRequest>,
    ) -> Answer<api::GetMaterializationResponse> {
        Ok(Response::new(
            self.get_materialization(request.into_inner()).await?,
        ))
    }

    async fn list_materializations(
        &self,
        request: Request<api::ListMaterializationsRequest>,
    ) -> Answer<api::ListMaterializationsResponse> {
        Ok(Response::new(
            self.list_materializations(request.into_inner()).await?,
        ))
    }

    async fn reload_definitions(
        &self,
        request: Request<api::ReloadDefinitionsRequest>,
    ) -> Answer<api::ReloadDefinitionsResponse> {
        let by = principal(&request).to_string();
        check_request_id(&request.get_ref().request_id)?;
        // Here too: who follows today may lead tomorrow.
        let changed = self.catalogue.reload().map_err(|error| {
            ApiError::precondition("DEFINITIONS_INVALID", kycc_telemetry::chain(&error))
        })?;
        if self.engine.moves_runs()
            && let Place::Leader(mut leader) = self.place(&request).await?
        {
            let answer = leader.reload_definitions(forwarded(request)).await;
            return answer.map_err(told);
        }
        if changed {
            self.engine.reloaded().await;
        }
        let definitions_hash = self.catalogue.current().hash();
        let caller = Caller {
            principal: by,
            request_id: request.into_inner().request_id,
        };
        let deed = deeds::of_reload(&definitions_hash, caller, self.clock.as_ref());
        if self.engine.moves_runs() && !self.engine.record(deed).await {
            let message = "the definitions are read, but not written into the audit log; ask again";
            return Err(ApiError::unavailable("AUDIT_NOT_WRITTEN", message).into());
        }
        Ok(Response::new(api::ReloadDefinitionsResponse {
            definitions_hash,
            changed,
        }))
    }
}
