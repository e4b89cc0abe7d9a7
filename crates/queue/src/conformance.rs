//! What every [`TaskQueue`](crate::TaskQueue) promises, as tests that run on any of them: `conformance_tests!(make)`
//! expands one named test per promise. `make` is an async function that gives a fresh, empty queue, and what must be kept
//! while it is used.

#![expect(
    clippy::unwrap_used,
    reason = "a promise that cannot be tested is broken"
)]

mod cancel;
mod delivery;
mod leases;
pub mod redis_server;
mod results;
mod tasks;

pub use cancel::*;
pub use delivery::*;
pub use leases::*;
pub use results::*;
pub use tasks::*;

use std::time::Duration;

use kycc_proto::work::v1::{Shard, Task, TaskLog, TaskResult, TaskSucceeded, task_result::Outcome};

pub(crate) const LANE: &str = "scoring";
/// Long enough for a queue across a network; a test that passes does not wait for it.
pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const NOW: Duration = Duration::ZERO;

/// One test per promise, in the module where it is called. The test crate needs tokio's macros.
#[macro_export]
macro_rules! conformance_tests {
    ($make:path) => {
        $crate::conformance_tests!(@each $make:
            tasks_come_in_the_order_they_were_pushed
            a_task_arrives_as_it_was_pushed
            lanes_do_not_see_each_other
            a_waiting_reader_is_woken_by_a_push
            an_empty_pull_ends_after_its_wait
            one_task_goes_to_one_consumer
            every_waiting_consumer_gets_its_share
            an_abandoned_pull_takes_nothing
            a_pending_task_is_not_handed_out_again
            waiting_and_pending_tasks_are_outstanding_until_acknowledged
            acknowledging_twice_is_no_error
            a_report_counts_what_a_lane_holds_and_who_holds_it
            urgent_tasks_come_before_those_that_waited_longer
            a_pull_never_gives_more_than_it_was_asked_for
            a_waiting_reader_is_woken_by_an_urgent_push
            a_pull_dropped_while_it_waits_leaves_its_consumer_able_to_pull
            two_hundred_tasks_go_to_eight_consumers_each_once
            a_large_task_arrives_whole
            a_task_of_any_text_arrives_as_it_was_pushed
            an_entry_without_beats_expires_and_stays_until_acknowledged
            a_beat_prolongs_the_lease
            entries_of_every_priority_expire_in_the_order_they_were_pushed
            the_beat_of_another_consumer_or_of_a_gone_entry_is_lost
            waiting_tasks_do_not_expire
            a_cancelled_task_hears_so_at_its_next_beat
            a_cancel_before_the_pull_is_heard_after_it
            cancelling_one_task_leaves_others_alone
            results_come_again_until_acknowledged
            results_can_be_acknowledged_out_of_order
            a_reader_of_results_that_was_dropped_keeps_nothing_from_the_next
            results_acknowledged_twice_are_no_error
            a_waiting_reader_is_woken_by_a_result
            logs_and_results_do_not_mix
            logs_keep_their_order_and_come_once
        );
    };
    (@each $make:path: $($case:ident)+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let (queue, _kept) = $make().await;
                $crate::conformance::$case(queue).await;
            }
        )+
    };
}

pub(crate) fn task(id: &str) -> Task {
    Task {
        task_id: id.to_owned(),
        run_id: "run-1".to_owned(),
        asset: "score_batch".to_owned(),
        attempt: 1,
        lane: LANE.to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        batch_id: "BATCH_001".to_owned(),
        config_json: "{\"ä\": 1}".to_owned(),
        version_key: "abc".to_owned(),
        shard: Some(Shard { index: 2, count: 7 }),
        ..Task::default()
    }
}

pub(crate) fn urgent(id: &str) -> Task {
    Task {
        priority: 1,
        ..task(id)
    }
}

pub(crate) fn result(id: &str) -> TaskResult {
    TaskResult {
        task_id: id.to_owned(),
        attempt: 1,
        outcome: Some(Outcome::Succeeded(TaskSucceeded::default())),
        ..TaskResult::default()
    }
}

pub(crate) fn log(sequence: u32) -> TaskLog {
    TaskLog {
        task_id: "t".to_owned(),
        sequence,
        message: format!("line {sequence}"),
        ..TaskLog::default()
    }
}
