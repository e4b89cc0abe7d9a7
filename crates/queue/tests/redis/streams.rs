//! What stands in the streams: bounds, what is trimmed, the lag that autoscalers read, two processes on one lane.

use std::collections::HashMap;

use kycc_queue::conformance::redis_server::Namespace;
use kycc_queue::{Beat, Capacity, QueueError, RedisOptions, TaskQueue};
use redis::Value;

use super::{LANE, NOW, SOON, result, task};
use kycc_proto::work::v1::{Task, TaskLog};

fn small(namespace: &Namespace) -> kycc_queue::RedisQueue {
    namespace.queue_with(RedisOptions {
        capacity: Capacity {
            tasks: 2,
            results: 1,
            logs: 2_000,
        },
        ..RedisOptions::default()
    })
}

/// `kycc:v1:{namespace.scoring}:tasks` for ".scoring" and "tasks".
fn key(namespace: &Namespace, lane: &str, stream: &str) -> String {
    format!("kycc:v1:{{{}{lane}}}:{stream}", namespace.name())
}

fn length(namespace: &Namespace, key: &str) -> usize {
    namespace.ask(&["XLEN", key])
}

fn group(namespace: &Namespace, key: &str) -> HashMap<String, Value> {
    let mut groups: Vec<HashMap<String, Value>> = namespace.ask(&["XINFO", "GROUPS", key]);
    assert_eq!(groups.len(), 1, "one group on each stream");
    groups.remove(0)
}

#[tokio::test]
async fn a_full_lane_refuses_at_once_and_has_room_after_an_acknowledgement() {
    let namespace = Namespace::new();
    let queue = small(&namespace);
    queue.push(LANE, &task("a")).await.unwrap();
    let urgent = Task {
        priority: 1,
        ..task("b")
    };
    queue.push(LANE, &urgent).await.unwrap();
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    let error = queue.push(LANE, &task("c")).await.unwrap_err();
    assert!(
        matches!(error, QueueError::Full { capacity: 2, .. }),
        "pending ones count"
    );
    queue
        .push("other", &task("c"))
        .await
        .expect("lanes do not share their bounds");
    queue.ack(LANE, &pulled[0].entry).await.unwrap();
    queue.push(LANE, &task("c")).await.unwrap();
}

#[tokio::test]
async fn what_is_acknowledged_behind_a_pending_task_takes_no_room() {
    let namespace = Namespace::new();
    let queue = small(&namespace);
    queue.push(LANE, &task("slow")).await.unwrap();
    queue.pull(LANE, "w", 1, SOON).await.unwrap();
    for number in 0..10 {
        queue.push(LANE, &task(&number.to_string())).await.unwrap();
        let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
        queue.ack(LANE, &pulled[0].entry).await.unwrap();
    }
    let outstanding = queue.outstanding(LANE).await.unwrap();
    assert_eq!(outstanding.len(), 1);
    assert_eq!(outstanding[0].task_id, "slow");
}

#[tokio::test]
async fn a_result_waits_for_room_and_is_not_lost() {
    let namespace = Namespace::new();
    let queue = small(&namespace);
    queue.publish_result(&result("a")).await.unwrap();
    let second = result("b");
    let read = async {
        for expected in ["a", "b"] {
            let entries = queue.pull_results(1, SOON).await.unwrap();
            assert_eq!(entries[0].result.task_id, expected);
            queue
                .ack_results(&[entries[0].entry.clone()])
                .await
                .unwrap();
        }
    };
    let (published, ()) = tokio::join!(queue.publish_result(&second), read);
    published.unwrap();
}

#[tokio::test]
async fn log_lines_that_nobody_reads_push_the_oldest_out() {
    let namespace = Namespace::new();
    let queue = small(&namespace);
    for _ in 0..10 {
        let lines = vec![TaskLog::default(); 1_000];
        queue.publish_logs(&lines).await.unwrap();
    }
    let kept = length(&namespace, &key(&namespace, "", "logs"));
    assert!((2_000..4_000).contains(&kept), "{kept} lines");
    let mut read = 0;
    loop {
        let lines = queue.pull_logs(300, NOW).await.unwrap();
        assert!(lines.len() <= 300);
        if lines.is_empty() {
            break;
        }
        read += lines.len();
    }
    assert_eq!(read, kept);
    assert_eq!(length(&namespace, &key(&namespace, "", "logs")), 0);
}

#[tokio::test]
async fn only_the_acknowledged_prefix_is_trimmed_and_the_lag_stays_a_number() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    let tasks = key(&namespace, ".scoring", "tasks");
    for number in 0..10 {
        queue.push(LANE, &task(&number.to_string())).await.unwrap();
    }
    let mut pulled = queue.pull(LANE, "w", 6, SOON).await.unwrap();
    let state = |length: usize, pending: i64, lag: i64| {
        let group = group(&namespace, &tasks);
        assert_eq!(super::streams::length(&namespace, &tasks), length);
        assert_eq!(group["pending"], Value::Int(pending));
        assert_eq!(group["lag"], Value::Int(lag), "waiting");
    };
    state(10, 6, 4);
    let first = pulled.remove(0);
    for delivery in pulled.iter().rev() {
        queue.ack(LANE, &delivery.entry).await.unwrap();
    }
    state(10, 1, 4);
    queue.ack(LANE, &first.entry).await.unwrap();
    state(4, 0, 4);
    for delivery in queue.pull(LANE, "w", 10, SOON).await.unwrap() {
        queue.ack(LANE, &delivery.entry).await.unwrap();
    }
    state(0, 0, 0);
    queue.push(LANE, &task("last")).await.unwrap();
    state(1, 0, 1);
}

#[tokio::test]
async fn the_acknowledged_prefix_of_results_is_trimmed_too() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    let results = key(&namespace, "", "results");
    for number in 0..250 {
        queue
            .publish_result(&result(&number.to_string()))
            .await
            .unwrap();
    }
    let all = queue.pull_results(300, SOON).await.unwrap();
    let entries: Vec<_> = all.into_iter().map(|entry| entry.entry).collect();
    queue.ack_results(&entries[1..]).await.unwrap();
    assert_eq!(length(&namespace, &results), 250);
    queue.ack_results(&entries[..1]).await.unwrap();
    assert_eq!(length(&namespace, &results), 0);
    assert_eq!(group(&namespace, &results)["lag"], Value::Int(0));
}

#[tokio::test]
async fn heartbeats_do_not_count_as_deliveries() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    queue.push(LANE, &task("a")).await.unwrap();
    let pulled = queue.pull(LANE, "w", 1, SOON).await.unwrap();
    for _ in 0..5 {
        let beat = queue.beat(LANE, &pulled[0].entry, "w").await.unwrap();
        assert_eq!(beat, Beat::Go);
    }
    let tasks = key(&namespace, ".scoring", "tasks");
    let pending: Vec<(String, String, u64, u64)> =
        namespace.ask(&["XPENDING", &tasks, "kycc", "-", "+", "10"]);
    assert_eq!(pending[0].3, 1, "delivered once");
}

#[tokio::test]
async fn the_mark_of_a_cancelled_task_does_not_stay_for_ever() {
    let namespace = Namespace::new();
    namespace.queue().cancel("a").await.unwrap();
    let mark = format!("kycc:v1:{{{}}}:cancelled:a", namespace.name());
    let seconds: i64 = namespace.ask(&["TTL", &mark]);
    assert!((1..=24 * 60 * 60).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_pending_entry_without_its_payload_is_acknowledged_away() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    queue.push(LANE, &task("a")).await.unwrap();
    queue.pull(LANE, "w", 1, SOON).await.unwrap();
    let tasks = key(&namespace, ".scoring", "tasks");
    let _: i64 = namespace.ask(&["XTRIM", &tasks, "MAXLEN", "0"]);
    assert!(queue.expired(LANE, NOW).await.unwrap().is_empty());
    assert_eq!(group(&namespace, &tasks)["pending"], Value::Int(0));
}

#[tokio::test]
async fn a_foreign_entry_is_told_once_and_keeps_nothing_from_the_others() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    let tasks = key(&namespace, ".scoring", "tasks");
    queue.push(LANE, &task("a")).await.unwrap();
    let _: String = namespace.ask(&["XADD", &tasks, "*", "what", "ever"]);
    let error = queue.pull(LANE, "w", 5, SOON).await.unwrap_err();
    assert_eq!(error.reason(), "QUEUE_UNDECODABLE");
    let pulled = queue.pull(LANE, "w", 5, SOON).await.unwrap();
    assert_eq!(pulled.len(), 1);
    assert_eq!(pulled[0].task, task("a"));

    let results = key(&namespace, "", "results");
    queue.publish_result(&result("a")).await.unwrap();
    let _: String = namespace.ask(&["XADD", &results, "*", "what", "ever"]);
    let error = queue.pull_results(5, SOON).await.unwrap_err();
    assert_eq!(error.reason(), "QUEUE_UNDECODABLE");
    assert_eq!(queue.pull_results(5, SOON).await.unwrap().len(), 1);
}

#[tokio::test]
async fn two_processes_share_a_lane_and_the_results() {
    let namespace = Namespace::new();
    let (worker, leader) = (namespace.queue(), namespace.queue());
    let work = async {
        let pulled = worker.pull(LANE, "w", 1, SOON).await.unwrap();
        worker
            .publish_result(&result(&pulled[0].task.task_id))
            .await
            .unwrap();
        pulled
    };
    let shared = task("a");
    let (pulled, pushed) = tokio::join!(work, leader.push(LANE, &shared));
    pushed.unwrap();
    let other = leader.beat(LANE, &pulled[0].entry, "other").await.unwrap();
    assert_eq!(other, Beat::Lost);
    let read = leader.pull_results(1, SOON).await.unwrap();
    assert_eq!(read[0].result, result("a"));
    let taken_over = worker.pull_results(1, SOON).await.unwrap();
    assert_eq!(taken_over, read, "the first reader died with it");
    worker.ack_results(&[read[0].entry.clone()]).await.unwrap();
    assert!(leader.pull_results(1, NOW).await.unwrap().is_empty());
    leader.ack(LANE, &pulled[0].entry).await.unwrap();
    let gone = worker.beat(LANE, &pulled[0].entry, "w").await.unwrap();
    assert_eq!(gone, Beat::Lost);
}

#[tokio::test]
async fn namespaces_do_not_see_each_other() {
    let (one, two) = (Namespace::new(), Namespace::new());
    one.queue().push(LANE, &task("a")).await.unwrap();
    assert!(two.queue().outstanding(LANE).await.unwrap().is_empty());
    assert!(
        two.queue()
            .pull(LANE, "w", 1, NOW)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(one.queue().outstanding(LANE).await.unwrap().len(), 1);
}

#[tokio::test]
async fn more_than_one_page_is_outstanding_and_expires() {
    let namespace = Namespace::new();
    let queue = namespace.queue();
    for number in 0..250 {
        queue
            .push(LANE, &task(&format!("{number:03}")))
            .await
            .unwrap();
    }
    queue.pull(LANE, "w", 230, SOON).await.unwrap();
    assert_eq!(queue.outstanding(LANE).await.unwrap().len(), 250);
    let expired = queue.expired(LANE, NOW).await.unwrap();
    assert_eq!(expired.len(), 230);
    assert!(expired.is_sorted_by_key(|delivery| delivery.task.task_id.clone()));
}
