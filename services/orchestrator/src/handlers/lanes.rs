//! ListLanes: how much work lies on each lane, and who takes it.

use std::collections::BTreeSet;
use std::time::Duration;

use kycc_proto::orchestrator::v1 as api;
use kycc_queue::LaneReport;
use kycc_rpc::ApiError;

use super::Api;

impl Api {
    pub(super) async fn lanes(&self) -> Result<api::ListLanesResponse, ApiError> {
        let definitions = self.catalogue.current();
        let names: BTreeSet<&str> = definitions.assets.iter().map(|a| a.lane.as_str()).collect();
        let mut lanes = Vec::with_capacity(names.len());
        for name in names {
            let report = self.queue.report(name).await.map_err(|error| {
                tracing::warn!(lane = name, error = %kycc_telemetry::chain(&error), "cannot look at a lane");
                ApiError::unavailable("QUEUE_UNAVAILABLE", "the queue does not answer; ask again")
            })?;
            lanes.push(lane(name, report));
        }
        Ok(api::ListLanesResponse { lanes })
    }
}

fn lane(name: &str, report: LaneReport) -> api::Lane {
    let workers = report.consumers.into_iter().map(|consumer| api::Worker {
        worker_id: consumer.name,
        pending: consumer.pending,
        idle_ms: millis(consumer.idle),
    });
    api::Lane {
        name: name.to_owned(),
        waiting: report.waiting,
        pending: report.pending,
        oldest_age_ms: millis(report.oldest),
        workers: workers.collect(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
