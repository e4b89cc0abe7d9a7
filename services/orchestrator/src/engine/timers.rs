//! What happens because time passes: leases end, runs take too long.

use std::time::Duration;

use super::deadlines::deadline;
use super::leader::{After, Engine, event};
use super::streams;
use super::turn::Input;
use crate::core::TaskStatus;

impl Engine {
    /// Ends the leases of workers that have fallen silent.
    pub(super) async fn sweep(&mut self, inputs: &mut Vec<Input>, after: &mut After) {
        let now = self.parts.clock.now_micros();
        if now < self.next_sweep || !self.waits_for_workers() {
            return;
        }
        self.next_sweep = now + micros(self.parts.lease / 3);
        let mut lanes: Vec<&str> = self
            .live
            .values()
            .flat_map(|run| run.definitions.assets.iter().map(|a| a.lane.as_str()))
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        for lane in lanes {
            let deliveries = match self.parts.queue.expired(lane, self.parts.lease).await {
                Ok(deliveries) => deliveries,
                Err(error) => {
                    tracing::warn!(lane, error = %kycc_telemetry::chain(&error), "cannot look for silent workers");
                    continue;
                }
            };
            for delivery in deliveries {
                inputs.extend(streams::expired(&delivery.task, now));
                after.expired.push((lane.to_owned(), delivery.entry));
            }
        }
    }

    fn waits_for_workers(&self) -> bool {
        let mut tasks = self.live.values().flat_map(|run| run.state.tasks());
        tasks.any(|(_, task)| task.status == TaskStatus::Dispatched)
    }

    pub(super) fn timeouts(&self, inputs: &mut Vec<Input>) {
        let now = self.parts.clock.now_micros();
        let monitoring = &self.parts.catalogue.current().run_monitoring;
        for (run_id, run) in &self.live {
            if let Some((at, strikes)) = deadline(run, monitoring)
                && at <= now
            {
                inputs.push(event(run_id.clone(), strikes));
            }
        }
    }

    pub(super) fn until_next_timer(&self) -> Duration {
        let now = self.parts.clock.now_micros();
        let monitoring = &self.parts.catalogue.current().run_monitoring;
        let timeouts = self
            .live
            .values()
            .filter_map(|run| Some(deadline(run, monitoring)?.0));
        let sweep = self.waits_for_workers().then_some(self.next_sweep);
        let poll = Duration::from_secs(monitoring.poll_interval_seconds);
        let next = timeouts.chain(sweep).min().unwrap_or(i64::MAX);
        let wait = u64::try_from(next.saturating_sub(now)).unwrap_or(0);
        // Rounded up: a timer that fires a microsecond early would fire again and again.
        Duration::from_micros(wait.saturating_add(1_000)).min(poll)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
