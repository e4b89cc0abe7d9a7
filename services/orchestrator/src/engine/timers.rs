//! What happens because time passes: leases end, runs take too long.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use super::deadlines::deadline;
use super::leader::{After, Engine, event};
use super::streams;
use super::turn::Input;
use crate::core::TaskStatus;

/// When silent workers are looked for, and where.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    next: i64,
    /// Lanes on which something may lie, until when: also tasks that were given up leave an entry behind, which is to be
    /// acknowledged when its worker is gone.
    lanes: HashMap<String, i64>,
}

impl Engine {
    /// Ends the leases of workers that have fallen silent.
    pub(super) async fn sweep(&mut self, inputs: &mut Vec<Input>, after: &mut After) {
        let now = self.parts.clock.now_micros();
        self.note_lanes(now);
        if now < self.sweeps.next || self.sweeps.lanes.is_empty() {
            return;
        }
        self.sweeps.next = now + micros(self.parts.lease / 3);
        let lanes: Vec<String> = self.sweeps.lanes.keys().cloned().collect();
        for lane in lanes {
            let deliveries = match self.parts.queue.expired(&lane, self.parts.lease).await {
                Ok(deliveries) => deliveries,
                Err(error) => {
                    tracing::warn!(lane, error = %kycc_telemetry::chain(&error), "cannot look for silent workers");
                    continue;
                }
            };
            for delivery in deliveries {
                inputs.extend(streams::expired(&delivery, now));
                after.expired.push((lane.clone(), delivery.entry));
            }
        }
        self.sweeps.lanes.retain(|_, until| *until > now);
    }

    /// A lane is looked at while something is dispatched to it, and for two leases more.
    fn note_lanes(&mut self, now: i64) {
        let until = now.saturating_add(micros(self.parts.lease * 2));
        for run in self.live.values() {
            for step in &run.state.steps {
                let mut tasks = step.tasks.iter();
                if !tasks.any(|task| task.status == TaskStatus::Dispatched) {
                    continue;
                }
                let asset = run.definitions.asset(step.asset.as_str());
                let Some(lane) = asset.map(|asset| &asset.lane) else {
                    continue;
                };
                if let Some(known) = self.sweeps.lanes.get_mut(lane) {
                    *known = until;
                } else {
                    self.sweeps.lanes.insert(lane.clone(), until);
                }
            }
        }
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
        let waits = self.waits_for_workers() || !self.sweeps.lanes.is_empty();
        let sweep = waits.then_some(self.sweeps.next);
        let poll = Duration::from_secs(monitoring.poll_interval_seconds);
        let next = timeouts.chain(sweep).min().unwrap_or(i64::MAX);
        let wait = u64::try_from(next.saturating_sub(now)).unwrap_or(0);
        // Rounded up: a timer that fires a microsecond early would fire again and again.
        Duration::from_micros(wait.saturating_add(1_000)).min(poll)
    }

    fn waits_for_workers(&self) -> bool {
        let mut tasks = self.live.values().flat_map(|run| run.state.tasks());
        tasks.any(|(_, task)| task.status == TaskStatus::Dispatched)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
